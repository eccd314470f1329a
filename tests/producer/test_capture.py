import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from producer import capture as module
from producer.capture import Capture, CaptureError
from tests.producer.conftest import GREYS

ROOT = Path(__file__).parents[2]


def open_file(path: Path | str) -> Capture:
    return Capture(str(path), is_file=True, read_timeout=1)


def brightness(capture: Capture) -> int:
    """Return which of the clip's frames comes next."""
    mean = float(capture.read().image.mean())
    return min(GREYS, key=lambda grey: abs(grey - mean))


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_file_is_read(clip: Path, form: str) -> None:
    before = time.time_ns()

    capture = open_file(form.format(clip))
    captured = capture.read()

    assert captured.image.shape == (48, 64, 3)
    assert captured.image.dtype == np.uint8
    assert before <= captured.at <= time.time_ns()
    capture.close()


def test_a_file_begins_again_at_its_end_for_ever(clip: Path) -> None:
    capture = open_file(clip)

    read = [brightness(capture) for _ in range(4 * len(GREYS))]

    assert read == list(GREYS) * 4
    capture.close()


def test_a_source_that_is_no_file_does_not_begin_again(clip: Path) -> None:
    capture = Capture(str(clip), is_file=False, read_timeout=1)

    assert [brightness(capture) for _ in GREYS] == list(GREYS)
    with pytest.raises(CaptureError, match="it gives no more frames"):
        capture.read()
    capture.close()


def test_a_closed_source_gives_no_more(clip: Path) -> None:
    capture = open_file(clip)
    capture.close()

    with pytest.raises(CaptureError):
        capture.read()


@pytest.mark.parametrize("name", ["missing.avi", ".", "x" * 300])
def test_a_missing_file_is_told_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(CaptureError, match="there is no such file"):
        open_file(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"this is no film\n" * 100])
def test_a_file_that_is_no_film_is_told_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.avi"
    path.write_bytes(content)

    with pytest.raises(CaptureError, match="it cannot be opened"):
        open_file(path)


def test_a_film_without_frames_is_told_so(tmp_path: Path, clip: Path) -> None:
    path = tmp_path / "clip.avi"
    path.write_bytes(clip.read_bytes()[:300])

    with pytest.raises(CaptureError):
        open_file(path).read()


@pytest.mark.parametrize("source", ["99", "/dev/video99"])
def test_a_missing_device_is_told_so(source: str) -> None:
    with pytest.raises(CaptureError, match="it cannot be opened"):
        Capture(source, is_file=False, read_timeout=1)


def test_an_unreachable_camera_is_told_so_without_its_address(closed_port: int) -> None:
    # How much FFmpeg prints is settled once in a process: here by none but the capture.
    address = f"joe:hunter2@127.0.0.1:{closed_port}/x"
    lines = [
        "from producer.capture import Capture, CaptureError",
        f"for link in ('rtsp://{address}', 'http://{address}', '/no/such/hunter2.avi'):",
        "    try: Capture(link, is_file=False, read_timeout=1)",
        "    except CaptureError as error: print(error)",
    ]

    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.stderr == ""
    assert done.stdout == "it cannot be opened: away, unreachable, or no video\n" * 3


def test_a_camera_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_OPEN_TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        link = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/x"

        with pytest.raises(CaptureError, match="it cannot be opened"):
            Capture(link, is_file=False, read_timeout=1)


def test_an_own_wish_for_ffmpegs_log_is_respected(monkeypatch: pytest.MonkeyPatch, clip: Path) -> None:
    monkeypatch.setenv("OPENCV_FFMPEG_LOGLEVEL", "32")

    open_file(clip).close()

    assert os.environ["OPENCV_FFMPEG_LOGLEVEL"] == "32"
