"""A producer that was killed says at its next start which picture it was working on."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from tests.parts import Service, wait_for

pytestmark = pytest.mark.parts


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A JPEG of several MB, which takes a while to decode."""
    noise = np.random.default_rng(1).integers(0, 255, (2000, 2000, 3), np.uint8)
    path = tmp_path / "large.jpg"
    cv2.imwrite(str(path), noise)
    return path


def kill_while(process: Service, is_working: Callable[[], bool]) -> None:
    """Kill a process at a moment when it is working."""

    def stopped_while_working() -> bool:
        if not is_working():
            time.sleep(0.001)
            return False
        process.signal(signal.SIGSTOP)
        wait_for(
            lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED, 10, "the process to stop"
        )
        if is_working():
            return True
        process.signal(signal.SIGCONT)
        return False

    deadline = time.monotonic() + 60
    while not stopped_while_working():
        assert time.monotonic() < deadline, process.text
    process.kill()


def test_a_killed_producer_names_the_picture_when_it_is_started_again(tmp_path: Path, picture: Path) -> None:
    state = tmp_path / "state"
    settings = {
        "VIDEOLINK": str(picture),
        "CAMERANAME": "door",
        "KAFKAPORT": "127.0.0.1:1",
        "IMAGESCALEX": "0.5",
        "FRAMEINTERVAL": "100ms",
        "STATEFOLDER": str(state),
    }
    size = f"{picture.stat().st_size / 1e6:.0f} MB"

    with Service("producer", settings, tmp_path, "-killed") as first:
        kill_while(first, lambda: any(b"+encode" in file.read_bytes() for file in state.glob("*")))
    with Service("producer", settings, tmp_path) as second:
        wait_for(lambda: "producer started" in second.text, 30, "it to have started")
        assert second.stop() == 0
        report = [line for line in second.text.splitlines() if "last run" in line]

    assert len(report) == 1
    assert (
        f"the last run was killed or crashed while working on a picture of {size} of camera door ("
        in report[0]
    )
    assert "(encode)" in report[0]
    assert list(state.iterdir()) == []
