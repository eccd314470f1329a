from pathlib import Path

import cv2
import numpy as np
import pytest

from producer.sources.file import open_source
from producer.sources.source import CaptureError, Source, Timeouts
from tests.producer.conftest import GREYS
from tests.producer.sources.reading import grey_of, read


def open_file(path: Path | str) -> Source:
    return open_source(str(path), Timeouts(1, 1))


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_film_is_read_as_images(clips: Path, form: str) -> None:
    source = open_file(form.format(clips / "bikes.mp4"))

    captured = read(source)

    assert isinstance(captured.picture, np.ndarray)
    assert captured.picture.shape == (272, 640, 3)
    assert captured.picture.dtype == np.uint8
    assert (captured.width, captured.height) == (640, 272)
    source.close()


@pytest.mark.parametrize("form", ["{}/my film.avi", "FILE://{}/my film.avi", "file://{}/my%20film.avi"])
def test_a_path_may_contain_spaces(clip: Path, tmp_path: Path, form: str) -> None:
    (tmp_path / "my film.avi").write_bytes(clip.read_bytes())

    source = open_file(form.format(tmp_path))

    assert grey_of(read(source)) == GREYS[0]
    source.close()


def test_a_file_is_looped(clip: Path) -> None:
    source = open_file(clip)

    greys = [grey_of(read(source)) for _ in range(4 * len(GREYS))]

    assert greys == list(GREYS) * 4
    source.close()


@pytest.mark.parametrize("form", [".jpg", ".png", ".gif"])
def test_a_file_with_a_single_picture_repeats_it(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"still{form}"
    cv2.imwrite(str(path), np.full((48, 64, 3), 120, np.uint8))
    source = open_file(path)

    captured = [read(source) for _ in range(5)]

    assert {(each.width, each.height) for each in captured} == {(64, 48)}
    assert [each.at for each in captured] == sorted({each.at for each in captured})
    source.close()


def test_an_animation_is_looped(tmp_path: Path) -> None:
    path = tmp_path / "clip.gif"
    animation = cv2.Animation()
    animation.frames = [np.full((48, 64, 3), grey, np.uint8) for grey in GREYS]
    animation.durations = [40] * len(GREYS)
    cv2.imwriteanimation(str(path), animation)
    source = open_file(path)

    means = [float(np.mean(read(source).picture)) for _ in range(2 * len(GREYS))]  # type: ignore[arg-type]

    assert means == pytest.approx(list(GREYS) * 2, abs=2)
    source.close()


def test_a_closed_file_delivers_no_more_frames(clip: Path) -> None:
    source = open_file(clip)
    source.close()

    with pytest.raises(CaptureError):
        source.grab()


@pytest.mark.parametrize("name", ["missing.avi", ".", "x" * 300])
def test_a_missing_file_is_reported(tmp_path: Path, name: str) -> None:
    with pytest.raises(CaptureError, match="no such file"):
        open_file(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"this is not a film\n" * 100])
def test_a_file_that_is_not_a_film_is_reported(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.avi"
    path.write_bytes(content)

    with pytest.raises(CaptureError, match="it cannot be opened"):
        open_file(path)


def test_a_film_without_frames_is_reported(tmp_path: Path, clip: Path) -> None:
    path = tmp_path / "clip.avi"
    path.write_bytes(clip.read_bytes()[:300])

    with pytest.raises(CaptureError):
        open_file(path).grab()
