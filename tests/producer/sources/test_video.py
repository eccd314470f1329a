"""Videos in many codecs and containers, and what is decoded of them."""

import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import count, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.wire.picture import Image, PictureError
from producer.sources import video as module
from producer.sources.ffmpeg import open_video
from producer.sources.source import BehindError, Captured, CaptureError, Limits
from producer.sources.video import EndError, Video
from tests.producer.sources import videos
from tests.producer.sources.videos import grey

LEVELS = list(range(20, 240, 20))


def opened(path: Path, interval: float = 0) -> Video:
    return open_video(str(path), Limits(5, 5), interval, {})


def frames(video: Video) -> Iterator[tuple[float | None, Captured]]:
    """Yield all frames with their times."""
    with closing(video):
        while True:
            try:
                video.read()
            except EndError:
                return
            yield video.time, video.captured(1)


def images(path: Path) -> list[Image]:
    return [pixels for _, frame in frames(opened(path)) if isinstance(pixels := frame.picture, np.ndarray)]


@pytest.mark.parametrize(
    ("codec", "pixels", "name"),
    [
        ("libx264", "yuv420p", "clip.mp4"),
        ("libx264", "yuv420p", "clip.ts"),
        ("libx264", "yuv420p", "clip.flv"),
        ("libx264", "yuv420p", "clip.h264"),
        ("libx264", "yuv444p", "clip.mkv"),
        ("libx265", "yuv420p", "clip.mp4"),
        ("libx265", "yuv420p10le", "clip.mkv"),
        ("mpeg4", "yuv420p", "clip.avi"),
        ("libvpx-vp9", "yuv420p", "clip.webm"),
        ("libsvtav1", "yuv420p", "clip.mp4"),
        ("prores_ks", "yuv422p10le", "clip.mov"),
        ("rawvideo", "yuyv422", "clip.avi"),
        ("rawvideo", "gray", "clip.mkv"),
        ("gif", "bgr8", "clip.gif"),
        ("apng", "rgb24", "clip.apng"),
    ],
)
def test_each_codec_is_read_in_order(tmp_path: Path, codec: str, pixels: str, name: str) -> None:
    path = videos.write(tmp_path / name, map(grey, LEVELS), codec, pixels=pixels)

    read = images(path)

    assert [float(image.mean()) for image in read] == pytest.approx(LEVELS, abs=5)
    assert {(image.shape, image.dtype) for image in read} == {((48, 64, 3), np.dtype(np.uint8))}


def test_the_jpegs_of_motion_jpeg_are_left_as_they_are(clip: Path) -> None:
    data = clip.read_bytes()

    for _, frame in frames(opened(clip)):
        assert isinstance(frame.picture, bytes)
        scan = frame.picture[frame.picture.index(b"\xff\xda") :]
        assert scan in data


def test_frames_state_their_times(tmp_path: Path) -> None:
    times = [0, 0.1, 0.16, 2.5, 2.6]
    path = videos.write(tmp_path / "clip.mkv", map(grey, LEVELS[:5]), times=times)

    assert [time for time, _ in frames(opened(path))] == pytest.approx(times)


def test_the_size_may_change(tmp_path: Path) -> None:
    first = videos.write(tmp_path / "1.h264", [grey(60, 64, 48)] * 3)
    second = videos.write(tmp_path / "2.h264", [grey(60, 96, 32)] * 3)
    path = tmp_path / "both.h264"
    path.write_bytes(first.read_bytes() + second.read_bytes())

    sizes = [(frame.width, frame.height) for _, frame in frames(opened(path))]

    assert sizes == [(64, 48)] * 3 + [(96, 32)] * 3


@pytest.mark.parametrize(("width", "height"), [(1, 1), (63, 47), (4096, 2160)])
def test_pictures_may_have_any_size(tmp_path: Path, width: int, height: int) -> None:
    path = videos.write(tmp_path / "clip.nut", [grey(100, width, height)], "rawvideo", pixels="bgr24")

    assert [image.shape for image in images(path)] == [(height, width, 3)]


def test_a_picture_that_claims_too_many_pixels_is_not_decoded(tmp_path: Path) -> None:
    data = cv2.imencode(".png", grey(100))[1].tobytes()
    header = data[12:16] + (65_500).to_bytes(4, "big") * 2 + data[24:29]  # https://www.w3.org/TR/png/#11IHDR
    path = tmp_path / "clip.png"
    path.write_bytes(data[:12] + header + zlib.crc32(header).to_bytes(4, "big") + data[33:])

    with pytest.raises((CaptureError, PictureError)):
        list(frames(opened(path)))


# A matrix in the header of an MP4's track (ISO 14496-12, 8.3.2): 90 degrees clockwise
UPRIGHT = b"".join(number.to_bytes(4, "big") for number in (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000))


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_film_is_turned_as_it_asks(tmp_path: Path, quarters: int) -> None:
    cosine, sine = [(0, 1), (-1, 0), (0, -1)][quarters - 1]
    turned = [cosine * 0x10000, sine * 0x10000, 0, -sine * 0x10000, cosine * 0x10000, 0, 0, 0, 0x40000000]
    half = grey(0)
    half[:, 32:] = 255
    path = videos.write(tmp_path / "clip.mp4", [half] * 3)
    at = path.read_bytes().rindex(UPRIGHT)
    matrix = b"".join(number.to_bytes(4, "big", signed=True) for number in turned)
    path.write_bytes(path.read_bytes()[:at] + matrix + path.read_bytes()[at + len(matrix) :])

    expected = np.rot90(half, -quarters)
    seen = cv2.VideoCapture(str(path)).read()[1]

    for image in images(path):
        assert image.shape == expected.shape == seen.shape
        assert np.abs(image.astype(int) - expected).mean() < 10


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_only_keyframes_are_decoded_if_they_come_often_enough(tmp_path: Path, codec: str) -> None:
    every = 10
    path = videos.write(
        tmp_path / "clip.mkv",
        [grey(20 + 2 * number) for number in range(10 * every)],
        codec,
        keyframe_every=every,
        options={"bf": "0", "sc_threshold": "0"} if codec == "libx264" else {},
    )

    read = list(frames(opened(path, interval=0.5)))

    times = [time for time, _ in read if time is not None and time > 3 * every / 25]
    assert [later - earlier for earlier, later in pairwise(times)] == pytest.approx(
        [every / 25] * (len(times) - 1)
    )
    assert len(times) >= 5
    for time, frame in read:
        assert time is not None
        assert not isinstance(frame.picture, bytes)
        assert float(frame.picture.mean()) == pytest.approx(20 + 2 * time * 25, abs=6)


def test_all_frames_are_decoded_if_keyframes_come_too_seldom(tmp_path: Path) -> None:
    path = videos.write(tmp_path / "clip.mkv", map(grey, LEVELS * 5), keyframe_every=10)

    assert len(list(frames(opened(path, interval=0.3)))) == 5 * len(LEVELS)


def test_all_frames_are_decoded_again_once_keyframes_come_more_seldom(tmp_path: Path) -> None:
    many = list(map(grey, LEVELS * 5))
    often = videos.write(tmp_path / "1.ts", many, keyframe_every=5, options={"bf": "0", "sc_threshold": "0"})
    seldom = videos.write(
        tmp_path / "2.ts",
        many,
        keyframe_every=1000,
        options={"bf": "0", "sc_threshold": "0"},
        times=[2.2 + number / 25 for number in range(len(many))],
    )
    path = tmp_path / "both.ts"
    path.write_bytes(often.read_bytes() + seldom.read_bytes())

    times = [time for time, _ in frames(opened(path, interval=0.3)) if time is not None]

    assert sum(time < 2.2 for time in times) < len(many) / 2
    assert sum(time >= 2.2 for time in times) > len(many) - 10


@pytest.mark.parametrize("seed", range(5))
def test_damage_costs_no_more_than_some_pictures(tmp_path: Path, seed: int) -> None:
    noise = np.random.default_rng(seed)
    path = videos.write(
        tmp_path / "clip.ts", [noise.integers(0, 256, (48, 64, 3), np.uint8) for _ in range(50)]
    )
    data = bytearray(path.read_bytes())
    for at in noise.integers(2000, len(data), 30):
        data[at] ^= 0xFF
    path.write_bytes(data)

    video, good, bad = opened(path), 0, 0
    with closing(video):
        while True:
            try:
                video.read()
                video.captured(1)
                good += 1
            except PictureError:
                bad += 1
            except CaptureError:
                break

    assert good > 10


@pytest.mark.exceeds("producer.sources.video._MOST_KEPT")
def test_a_video_whose_decoder_would_keep_too_much_is_not_opened(tmp_path: Path) -> None:
    deep = videos.write(tmp_path / "deep.mkv", map(grey, LEVELS), "libx265", pixels="yuv420p10le")
    most = 64 * 48 * 3 / module._MOST_KEPT

    open_video(str(deep), Limits(5, 5, pixels=round(most)), 0, {}).close()
    with pytest.raises(CaptureError, match=r"\(yuv420p10le\).*MAXPIXELS"):
        open_video(str(deep), Limits(5, 5, pixels=round(most) - 1), 0, {})


def test_a_video_whose_frames_become_too_large_is_given_up(tmp_path: Path) -> None:
    small = videos.write(tmp_path / "small.h264", map(grey, LEVELS), pixels="yuv420p10le")
    large = videos.write(tmp_path / "large.h264", [grey(99, 256, 192)] * 5, pixels="yuv420p10le")
    small.write_bytes(small.read_bytes() + large.read_bytes())
    video = open_video(str(small), Limits(5, 5, pixels=256 * 192), 0, {})

    with pytest.raises(CaptureError, match="yuv420p10le"):
        list(frames(video))


def test_a_video_whose_frames_become_deeper_is_given_up(tmp_path: Path) -> None:
    plain = videos.write(tmp_path / "plain.h264", map(grey, LEVELS))
    deep = videos.write(tmp_path / "deep.h264", map(grey, LEVELS), pixels="yuv420p10le")
    plain.write_bytes(plain.read_bytes() + deep.read_bytes())
    video = open_video(str(plain), Limits(5, 5, pixels=64 * 48), 0, {})

    with pytest.raises(CaptureError, match="yuv420p10le"):
        list(frames(video))


def test_a_video_with_more_pixels_than_are_accepted_is_not_opened(tmp_path: Path) -> None:
    path = videos.write(tmp_path / "clip.mp4", [grey(99)])

    open_video(str(path), Limits(5, 5, pixels=64 * 48), 0, {}).close()
    with pytest.raises(CaptureError, match=r"64 x 48 pixels.*MAXPIXELS"):
        open_video(str(path), Limits(5, 5, pixels=64 * 48 - 1), 0, {})


@pytest.mark.parametrize(("width", "height"), [(80, 80), (66, 96), (64, 100)])
def test_a_picture_of_exactly_as_many_pixels_as_are_accepted_is_decoded(
    tmp_path: Path, width: int, height: int
) -> None:
    path = videos.write(tmp_path / "full.h264", [grey(100, width, height)] * 5)
    video = open_video(str(path), Limits(5, 5, pixels=width * height), 0, {})
    with closing(video):
        video.read()

        assert video.captured(0).width == width


@pytest.mark.parametrize(("codec", "name"), [("libx264", "clip.h264"), ("libx265", "clip.hevc")])
def test_frames_that_grow_beyond_what_is_accepted_are_not_decoded(
    codec: str, name: str, tmp_path: Path
) -> None:
    small, large = (
        videos.write(tmp_path / f"{side}-{name}", [grey(99, side, side)] * 5, codec=codec)
        for side in (64, 256)
    )
    path = tmp_path / name
    path.write_bytes(small.read_bytes() + large.read_bytes())

    video = open_video(str(path), Limits(5, 5, pixels=128 * 128), 0, {})
    sizes = set()
    with closing(video), suppress(CaptureError):
        while True:
            video.read()
            with suppress(PictureError):
                sizes.add(video.captured(1).width)

    assert sizes == {64}


def test_sound_alone_is_said(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="sound, but no video"):
        opened(videos.sound(tmp_path / "clip.m4a"))


class LateAt:
    """A backlog in which these frames are late."""

    def __init__(self, *late: float) -> None:
        self.late = late

    def is_late(self, frame: float, waited: float) -> bool:  # noqa: ARG002
        return any(abs(frame - each) < 0.001 for each in self.late)


@pytest.mark.parametrize("is_film", [False, True])
def test_a_live_video_that_comes_too_fast_is_read_on_from_the_next_keyframe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_film: bool
) -> None:
    monkeypatch.setattr(module, "Backlog", lambda: LateAt(13 / 25))
    options = {"bf": "0", "sc_threshold": "0"}
    path = videos.write(tmp_path / "clip.mkv", map(grey, LEVELS * 3), keyframe_every=10, options=options)
    video, left_out = opened(path), []
    video.is_film = is_film

    with closing(video), suppress(EndError):
        for number in count():
            video.read()
            try:
                frame = video.captured(1)
            except BehindError:
                left_out.append(number)
            else:
                assert isinstance(frame.picture, np.ndarray)
                assert float(frame.picture.mean()) == pytest.approx((LEVELS * 3)[number], abs=5)

    assert left_out == ([] if is_film else list(range(13, 20)))


@pytest.mark.parametrize(("name", "may_jump"), [("clip.ts", True), ("clip.mp4", False), ("clip.mkv", False)])
def test_only_some_formats_have_times_that_may_jump(tmp_path: Path, name: str, may_jump: bool) -> None:
    with closing(opened(videos.write(tmp_path / name, map(grey, LEVELS)))) as video:
        assert video.may_jump == may_jump
