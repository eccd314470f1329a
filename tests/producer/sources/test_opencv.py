import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from producer.sources.opencv import OpenCVSource, open_with_ffmpeg
from producer.sources.source import CaptureError, Timeouts
from tests.producer.conftest import GREYS
from tests.producer.sources.reading import grey_of, read


@pytest.fixture
def source(clip: Path) -> Iterator[OpenCVSource]:
    opened = OpenCVSource(open_with_ffmpeg(str(clip), Timeouts(1, 1)))
    yield opened
    opened.close()


def test_a_stream_of_jpegs_is_read_as_jpegs(source: OpenCVSource) -> None:
    captured = read(source)

    assert grey_of(captured) == GREYS[0]
    assert (captured.width, captured.height) == (64, 48)


def test_a_frame_is_captured_when_it_is_grabbed(source: OpenCVSource) -> None:
    before = time.time_ns()

    source.grab()
    between = time.time_ns()
    captured = source.retrieve()

    assert before <= captured.at <= between


def test_a_grabbed_frame_need_not_be_retrieved(source: OpenCVSource) -> None:
    source.grab()
    source.grab()

    assert grey_of(source.retrieve()) == GREYS[1]


def test_grabbing_after_the_last_frame_fails(source: OpenCVSource) -> None:
    assert [grey_of(read(source)) for _ in GREYS] == list(GREYS)
    with pytest.raises(CaptureError, match="no more frames"):
        source.grab()


@pytest.mark.parametrize(
    ("name", "value"),
    [("OPENCV_FFMPEG_LOGLEVEL", "32"), ("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;udp")],
)
def test_the_users_options_for_ffmpeg_are_respected(
    monkeypatch: pytest.MonkeyPatch, clip: Path, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    open_with_ffmpeg(str(clip), Timeouts(1, 1)).release()

    assert os.environ[name] == value
