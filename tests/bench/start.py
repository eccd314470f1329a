"""The time until a user sees the first labelled picture."""

import json
import os
import subprocess
import time
from tempfile import TemporaryDirectory
from typing import Final

from tests.bench.figures import Figure, Measured
from tests.bench.pairs import rounds
from tests.parts import ROOT, free_port, reads, wait_for

_STARTS: Final = 3

FIRST_LABEL: Final = Figure("make run to first label", "s", most=15)
FIGURES: Final = (FIRST_LABEL,)


def measure() -> list[Measured]:
    """Return the seconds from `make run`, in a complete installation, to the first labelled frame."""
    seconds = [_start() for _ in rounds("start", _STARTS)]
    return [FIRST_LABEL.alone(seconds, f"all set up, embedded broker, {len(seconds)} starts")]


def _start() -> float:
    port = free_port()
    begun = time.monotonic()
    command = ["make", "run", f"ARGS=--port {port}"]
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as folder,  # without the cameras of earlier runs
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "XDG_STATE_HOME": folder},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process,
    ):
        try:
            wait_for(lambda: labelled(port), 60, "a labelled frame")
            return time.monotonic() - begun
        finally:
            process.terminate()


def labelled(port: int) -> bool:
    """Whether the video server at a port of this machine shows a label."""
    cameras = json.loads(reads(f"http://127.0.0.1:{port}/api/cameras") or b"[]")
    return any(prediction["results"] for camera in cameras for prediction in camera["predictions"])
