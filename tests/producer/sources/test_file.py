import gzip
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from producer.sources.file import open_source
from producer.sources.source import CaptureError, Limits, Source
from tests.producer.conftest import GREYS
from tests.producer.sources import videos
from tests.producer.sources.reading import grey_of, read


def open_file(path: Path | str) -> Source:
    return open_source(str(path), Limits(1, 1))


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


def test_a_compressed_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4.gz"
    path.write_bytes(gzip.compress(b"a film"))

    with pytest.raises(CaptureError, match="compressed by gzip"):
        open_file(path)


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


@pytest.mark.parametrize("name", ["missing.avi", "x" * 300, "clip.avi/x"])
def test_a_missing_file_is_reported(tmp_path: Path, name: str) -> None:
    (tmp_path / "clip.avi").touch()

    with pytest.raises(CaptureError, match="no such file"):
        open_file(tmp_path / name)


def test_a_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="folder"):
        open_file(tmp_path)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "empty"),
        (b"this is not a film\n" * 100, "not a video"),
        (b"\xef\xbb\xbf<!DOCTYPE html>\n<title>404</title>", "web page"),
        (b"#EXTM3U\n#EXTINF:1,\n/etc/hostname\n", "list of other files"),
        (b"ffconcat version 1.0\nfile /etc/hostname\n", "list of other files"),
        (b"v=0\r\nm=video 5000 RTP/AVP 96\r\nc=IN IP4 192.0.2.1\r\n", "list of other files"),
        (b"<?xml version='1.0'?><MPD></MPD>", "list of other files"),
    ],
)
def test_a_file_that_is_not_a_film_is_reported(tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "clip.avi"
    path.write_bytes(content)

    with pytest.raises(CaptureError, match=text):
        open_file(path)


def test_a_file_that_may_not_be_read_is_reported(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("builtins.open", refuse)  # root may read everything

    with pytest.raises(CaptureError, match="no permission"):
        open_file(clip)


def test_a_film_without_frames_is_reported(tmp_path: Path, clip: Path) -> None:
    path = tmp_path / "clip.avi"
    path.write_bytes(clip.read_bytes()[:300])

    with pytest.raises(CaptureError):
        open_file(path).due_in()


def test_a_film_plays_at_its_own_rate(tmp_path: Path) -> None:
    path = videos.write(tmp_path / "clip.mkv", map(videos.grey, GREYS), rate=5)
    opened = time.monotonic()
    source = open_file(path)

    read(source)
    left = source.due_in()

    assert time.monotonic() + left >= opened + 0.2
    assert source.interval == pytest.approx(0.2)
    source.close()


@pytest.mark.parametrize("name", ["%d.avi", "a:b.avi", "-i.avi", "[0-9].avi", "ü.avi"])
def test_a_name_may_hold_any_character(tmp_path: Path, clip: Path, name: str) -> None:
    (tmp_path / name).write_bytes(clip.read_bytes())

    source = open_file(tmp_path / name)

    assert grey_of(read(source)) == GREYS[0]
    source.close()


@pytest.mark.parametrize("name", ["photo.jpg", "photo.JPEG", "%d.jpg", "photo.png", "photo"])
@pytest.mark.parametrize("form", [".jpg", ".png"])
def test_a_picture_is_known_by_its_content(tmp_path: Path, name: str, form: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)
    (tmp_path / name).write_bytes(cv2.imencode(form, noise)[1].tobytes())
    source = open_file(tmp_path / name)

    captured = [read(source) for _ in range(3)]

    assert {(each.width, each.height) for each in captured} == {(640, 480)}
    assert source.interval == 1
    source.close()


def test_jpegs_directly_after_each_other_are_a_film(tmp_path: Path) -> None:
    path = tmp_path / "clip.mjpeg"
    path.write_bytes(
        b"".join(cv2.imencode(".jpg", np.full((480, 640, 3), grey, np.uint8))[1].tobytes() for grey in GREYS)
    )
    source = open_file(path)

    assert [grey_of(read(source)) for _ in range(2 * len(GREYS))] == list(GREYS) * 2
    source.close()


def test_a_film_in_an_unknown_codec_is_reported(tmp_path: Path) -> None:
    path = videos.write(tmp_path / "clip.mp4", map(videos.grey, GREYS))
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz"))

    with pytest.raises(CaptureError, match="no decoder"):
        open_file(path)


def test_a_picture_that_is_replaced_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "still.png"
    cv2.imwrite(str(path), np.full((48, 64, 3), 60, np.uint8))
    source = open_file(path)
    read(source)

    cv2.imwrite(str(path), np.full((48, 64, 3), 180, np.uint8))

    assert float(np.mean(read(source).picture)) == 180  # type: ignore[arg-type]
    source.close()
