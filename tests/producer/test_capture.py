import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pipeline import picture
from pipeline.picture import PictureError
from producer import capture as module
from producer.capture import Capture, Captured, CaptureError
from tests.producer.conftest import GREYS
from tests.producer.http_camera import HttpCamera

ROOT = Path(__file__).parents[2]


def open_file(path: Path | str) -> Capture:
    return Capture(str(path), is_file=True, read_timeout=1)


def read(capture: Capture) -> Captured:
    capture.grab()
    return capture.retrieve()


def grey_of(captured: Captured) -> int:
    """Return which of the clip's frames it is."""
    assert isinstance(captured.picture, bytes)
    mean = float(picture.decode(captured.picture).mean())
    return min(GREYS, key=lambda grey: abs(grey - mean))


def jpegs() -> list[bytes]:
    return [picture.encode(np.full((48, 64, 3), grey, np.uint8), 85) for grey in GREYS]


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_film_is_read_as_images(clips: Path, form: str) -> None:
    capture = open_file(form.format(clips / "bikes.mp4"))

    captured = read(capture)

    assert isinstance(captured.picture, np.ndarray)
    assert captured.picture.shape == (272, 640, 3)
    assert captured.picture.dtype == np.uint8
    assert (captured.width, captured.height) == (640, 272)
    capture.close()


def test_a_stream_of_jpegs_is_read_as_jpegs(clip: Path) -> None:
    capture = open_file(clip)

    captured = read(capture)

    assert grey_of(captured) == GREYS[0]
    assert (captured.width, captured.height) == (64, 48)
    capture.close()


def test_a_frame_is_captured_when_it_is_grabbed(clip: Path) -> None:
    capture = open_file(clip)
    before = time.time_ns()

    capture.grab()
    between = time.time_ns()
    captured = capture.retrieve()

    assert before <= captured.at <= between
    capture.close()


def test_a_frame_that_is_grabbed_need_not_be_retrieved(clip: Path) -> None:
    capture = open_file(clip)
    capture.grab()
    capture.grab()

    assert grey_of(capture.retrieve()) == GREYS[1]
    capture.close()


@pytest.mark.parametrize("tells_length", [True, False])
def test_a_cameras_jpegs_come_as_they_were_sent(tells_length: bool) -> None:
    sent = jpegs()

    with HttpCamera(sent, tells_length=tells_length) as camera:
        capture = Capture(camera.link, is_file=False, read_timeout=5)
        came = [read(capture).picture for _ in range(2 * len(sent))]
        capture.close()

    first = sent.index(came[0])  # type: ignore[arg-type]
    assert came == (sent * 3)[first : first + 2 * len(sent)]


@pytest.mark.parametrize("bad", [b"", b"no JPEG at all", jpegs()[1][:-40]], ids=["nothing", "text", "half"])
def test_what_is_no_jpeg_is_told_so_and_the_next_is_read(bad: bytes) -> None:
    good = jpegs()[0]

    with HttpCamera([good, bad]) as camera:
        capture = Capture(camera.link, is_file=False, read_timeout=5)
        told = 0
        for _ in range(6):
            capture.grab()
            try:
                assert capture.retrieve().picture == good
            except PictureError:
                told += 1
        capture.close()

    assert told == 3


def test_a_file_begins_again_at_its_end_for_ever(clip: Path) -> None:
    capture = open_file(clip)

    greys = [grey_of(read(capture)) for _ in range(4 * len(GREYS))]

    assert greys == list(GREYS) * 4
    capture.close()


def test_a_source_that_is_no_file_does_not_begin_again(clip: Path) -> None:
    capture = Capture(str(clip), is_file=False, read_timeout=1)

    assert [grey_of(read(capture)) for _ in GREYS] == list(GREYS)
    with pytest.raises(CaptureError, match="it gives no more frames"):
        capture.grab()
    capture.close()


def test_a_closed_source_gives_no_more(clip: Path) -> None:
    capture = open_file(clip)
    capture.close()

    with pytest.raises(CaptureError):
        capture.grab()


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
        open_file(path).grab()


@pytest.mark.parametrize("source", ["99", "/dev/video99"])
def test_a_missing_device_is_told_so(source: str) -> None:
    with pytest.raises(CaptureError, match="it cannot be opened"):
        Capture(source, is_file=False, read_timeout=1)


@pytest.mark.parts
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


@pytest.mark.parametrize(
    ("name", "value"),
    [("OPENCV_FFMPEG_LOGLEVEL", "32"), ("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;udp")],
)
def test_an_own_wish_for_ffmpeg_is_respected(
    monkeypatch: pytest.MonkeyPatch, clip: Path, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    open_file(clip).close()

    assert os.environ[name] == value
