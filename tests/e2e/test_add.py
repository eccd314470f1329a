"""The whole system: a camera is added on the page, seen within seconds, paused, and removed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.conftest import Window
from tests.e2e.test_browsers import click, expect_moving, texts, unexpected
from tests.e2e.test_changes import enter, press
from tests.films import jpegs
from tests.parts import ROOT, free_port, wait_for
from tests.producer.http_camera import HttpCamera

SOON: Final = 60.0
"""s that any step may take on a busy machine; what is measured is printed."""


@pytest.fixture
def address(tmp_path: Path, clips: Path) -> Iterator[str]:
    """The page of `python -m compose` with one camera, `yard`."""
    port, log = free_port(), tmp_path / "run.log"
    command = [sys.executable, "-m", "compose", "--no-training", "--no-model", "--port", str(port)]
    command += ["--camera", f"yard={clips / 'carphone_pristine.mp4'}"]
    environment = {**os.environ, "STATEFOLDER": str(tmp_path / "state")}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        try:
            wait_for(lambda: b"ready: http://" in log.read_bytes() or process.poll() is not None, 90, "ready")
            assert process.poll() is None, log.read_text()
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
            print(log.read_text()[-4000:])


def test_a_camera_is_added_seen_paused_and_removed(address: str, window: Window) -> None:
    state = "document.querySelector('[data-camera=bikes]')?.dataset.state"
    with HttpCamera(jpegs("bikes.mp4"), rate=15) as camera:
        window.open(address)
        expect_moving(window, "yard")
        press(window, "Add camera")
        enter(window, name="bikes", link=camera.link, group="Street")
        press(window, "Preview")
        size = "document.querySelector('.preview-picture').naturalWidth"
        wait_for(lambda: window.evaluate(size) == 640, SOON, "the preview's picture")
        press(window, "Save")
        began = time.monotonic()
        wait_for(lambda: window.evaluate(state) == "live", SOON, "the camera's picture")
        print(f"live {time.monotonic() - began:.1f} s after it was saved")

        expect_moving(window, "bikes")
        click(window, "[data-camera=bikes] a.open")
        press(window, "Pause")
        wait_for(lambda: window.evaluate(state) == "paused", SOON, "the pause")
        press(window, "Resume")
        wait_for(lambda: window.evaluate(state) == "live", SOON, "the camera to come back")
        press(window, "Remove")
        click(window, "#removal .danger")
        wait_for(lambda: texts(window, ".tile .name") == ["yard"], SOON, "the tile to go")
    assert unexpected(window) == []


def test_a_wrong_link_shows_its_reason(address: str, window: Window) -> None:
    window.open(address)
    press(window, "Add camera")
    enter(window, name="gate", link=f"http://user:secret@127.0.0.1:{free_port()}/video.mjpg")
    press(window, "Preview")
    refused = "nothing answers"
    wait_for(lambda: refused in texts(window, ".preview-state")[0], SOON, "the reason in the preview")
    press(window, "Save")
    reason = "[data-camera=gate] .veil-reason"
    wait_for(lambda: refused in "".join(texts(window, reason)).lower(), SOON, "the reason on the wall")
