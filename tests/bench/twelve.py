"""The time until twelve cameras that are started at once are all seen."""

import json
import os
import string
import subprocess
import sys
import time
from tempfile import TemporaryDirectory
from typing import Final

from tests.bench import clips
from tests.bench.figures import Figure, Measured
from tests.bench.pairs import rounds
from tests.bench.system import broker_kind
from tests.parts import ROOT, free_port, reads, wait_for

_CAMERAS: Final = string.ascii_lowercase[:12]
_CLIP: Final = "bikes.mp4"

LAST_PICTURE: Final = Figure("twelve cameras to the last one's first picture", "s", most=5)
FIGURES: Final = (LAST_PICTURE,)


def measure() -> list[Measured]:
    """Return the seconds from the command to the first picture of the last camera at the video server."""
    seconds = [_start() for _ in rounds("twelve")]
    return [LAST_PICTURE.alone(seconds, f"films of 640x272, {broker_kind()}, {len(seconds)} starts")]


def _start() -> float:
    port = free_port()
    cameras = [f"--camera={name}={clips.path(_CLIP)}" for name in _CAMERAS]
    address = os.environ.get("KAFKA_BOOTSTRAP")
    command = [sys.executable, "-m", "compose", "--no-training", f"--port={port}", *cameras]
    command += [f"--kafka={address}"] if address else []
    begun = time.monotonic()
    quiet = subprocess.DEVNULL
    with (
        TemporaryDirectory() as state,
        subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "STATEFOLDER": state}, stdout=quiet, stderr=quiet
        ) as process,
    ):
        try:
            wait_for(lambda: seen(port).issuperset(_CAMERAS), 60, "a picture of every camera")
            return time.monotonic() - begun
        finally:
            process.terminate()


def seen(port: int) -> set[str]:
    """Return the cameras of which the video server at a port of this machine has a picture."""
    cameras = json.loads(reads(f"http://127.0.0.1:{port}/api/cameras") or b"[]")
    return {camera["name"] for camera in cameras if camera.get("width")}
