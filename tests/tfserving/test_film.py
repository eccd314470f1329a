"""The frames of a film, and lines about a task's progress."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.clock import Clock
from tfserving import progress
from tfserving.film import FilmError, frames


def test_every_second_frame_is_a_jpeg(clips: Path) -> None:
    every, second = (
        list(frames(clips / "carphone_pristine.mp4")),
        list(frames(clips / "carphone_pristine.mp4", step=2)),
    )

    assert second == every[::2]
    assert cv2.imdecode(np.frombuffer(second[0], np.uint8), 1) is not None


def test_a_film_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FilmError, match=r"none\.mp4"):
        next(frames(tmp_path / "none.mp4"))


def test_a_file_that_is_no_film_is_named(tmp_path: Path) -> None:
    (tmp_path / "diary.mp4").write_text("Dear diary")

    with pytest.raises(FilmError, match=r"diary\.mp4"):
        next(frames(tmp_path / "diary.mp4"))


def test_without_opencv_its_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)

    with pytest.raises(FilmError, match="opencv-python-headless"):
        next(frames(tmp_path))


def test_a_line_is_said_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, said = Clock(), list[str]()
    monkeypatch.setattr(progress, "time", clock)
    tell = progress.slowly(said.append)

    for second in range(25):
        tell(f"after {second} s")
        clock.now += 1

    assert said == ["after 10 s", "after 20 s"]
