"""How long a user waits for the first labelled picture."""

import json
import subprocess
import time

from tests.bench.figures import Figure
from tests.parts import ROOT, free_port, reads, wait_for


def measure() -> list[Figure]:
    """Return the seconds from `make run`, all being set up, to the first labelled frame."""
    port = free_port()
    begun = time.monotonic()
    command = ["make", "run", f"ARGS=--port {port}"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            wait_for(lambda: labelled(port), 60, "a labelled frame")
            seconds = time.monotonic() - begun
        finally:
            process.terminate()
    return [Figure("make run to first label", seconds, "s", "the second time, embedded broker", goal=15)]


def labelled(port: int) -> bool:
    """Whether the video server at a port of this machine shows a label."""
    cameras = json.loads(reads(f"http://127.0.0.1:{port}/api/cameras") or b"[]")
    return any(prediction["results"] for camera in cameras for prediction in camera["predictions"])
