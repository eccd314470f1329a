"""Films and pictures in files, and devices."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from tests.compatibility.cameras import file, link
from tests.compatibility.pictures import IMAGES, JPEGS, turned
from tests.compatibility.situation import LEVELS, Refused, Shown, Situation
from tests.producer.sources import videos
from tests.producer.sources.videos import grey

_FILM: Final = Shown("shown at its own speed, again and again", count=6)
_STILL: Final = Shown("shown, once a second", levels=LEVELS[:1], count=2)
_LIST: Final = Refused("it is a list of other files or hosts: expected the video itself")
_MATRIX: Final = (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def _film(codec: str, pixels: str = "yuv420p", **options: Any) -> Callable[[Path], object]:
    return lambda path: videos.write(path, IMAGES, codec, pixels=pixels, **options)


def _containing(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def _matrix(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, "big", signed=True) for number in numbers)


def _on_its_side(path: Path) -> None:
    videos.write(path, IMAGES)
    turned_matrix = _matrix(0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    before, _, after = path.read_bytes().rpartition(_matrix(*_MATRIX))
    path.write_bytes(before + turned_matrix + after)


def _changing_size(path: Path) -> None:
    other = path.with_name("other.h264")
    videos.write(path, IMAGES)
    videos.write(other, [grey(level, 96, 64) for level in LEVELS])
    path.write_bytes(path.read_bytes() + other.read_bytes())


def _damaged(path: Path) -> None:
    videos.write(path, IMAGES * 20, keyframe_every=4)
    data, noise = bytearray(path.read_bytes()), np.random.default_rng(1)
    for at in noise.integers(3000, len(data), 20):
        data[at] ^= 0xFF
    path.write_bytes(data)


def _cut_off(path: Path) -> None:
    videos.write(path, IMAGES * 20)
    path.write_bytes(path.read_bytes()[:2000])


def _large(codec: str) -> Callable[[Path], object]:
    pictures = [grey(level, 3840, 2160) for level in LEVELS[:2]]
    options = {"preset": "ultrafast", "x265-params": "pools=none:frame-threads=1"}
    return lambda path: videos.write(path, pictures, codec, options=options)


_4K: Final = Shown("shown at its own speed, again and again", size=(3840, 2160), levels=LEVELS[:2], count=2)

FILMS: Final = [
    Situation("H.264 in MP4", file(_film("libx264"), "clip.mp4"), _FILM),
    Situation("H.264 without a container", file(_film("libx264"), "clip.h264"), _FILM),
    Situation("H.264 in 4K", file(_large("libx264"), "clip.mp4"), _4K),
    Situation("H.265 in Matroska", file(_film("libx265"), "clip.mkv"), _FILM),
    Situation("H.265 with 10 bits", file(_film("libx265", "yuv420p10le"), "clip.mp4"), _FILM),
    Situation("H.265 in 4K", file(_large("libx265"), "clip.mp4"), _4K),
    Situation("AV1", file(_film("libsvtav1"), "clip.mp4"), _FILM),
    Situation("VP9 in WebM", file(_film("libvpx-vp9"), "clip.webm"), _FILM),
    Situation("MPEG-4 in AVI", file(_film("mpeg4"), "clip.avi"), _FILM),
    Situation("ProRes", file(_film("prores_ks", "yuv422p10le"), "clip.mov"), _FILM),
    Situation(
        "Motion JPEG in AVI",
        file(_film("mjpeg", "yuvj420p"), "clip.avi"),
        Shown("shown at its own speed, not decoded", count=6),
    ),
    Situation("uncompressed video", file(_film("rawvideo", "yuyv422"), "clip.avi"), _FILM),
    Situation("an animated GIF", file(_film("gif", "bgr8"), "clip.gif"), _FILM),
    Situation("an animated PNG", file(_film("apng", "rgb24"), "clip.apng"), _FILM),
    Situation(
        "a film at 5 frames per second",
        file(_film("libx264", rate=5), "clip.mp4"),
        Shown("shown at its own speed, again and again"),
    ),
    Situation(
        "a film at 60 frames per second",
        file(_film("libx264", rate=60), "clip.mp4"),
        Shown("shown at its own speed; frames above `FRAMEINTERVAL` left out", count=6, dropped="not_due"),
    ),
    Situation(
        "a film whose frames last differently long",
        file(_film("libx264", times=[0, 0.1, 0.12, 0.5]), "clip.mkv"),
        _FILM,
    ),
    Situation(
        "a film whose clock jumps by 40 s (MPEG-TS)",
        file(_film("libx264", times=[0, 0.04, 40.08, 40.12]), "clip.ts"),
        _FILM,
    ),
    Situation(
        "a film with a single frame", file(lambda path: videos.write(path, IMAGES[:1]), "clip.mp4"), _STILL
    ),
    Situation(
        "a phone's film on its side", file(_on_its_side, "clip.mp4"), Shown("shown upright", size=(48, 64))
    ),
    Situation(
        "a film whose size changes",
        file(_changing_size, "clip.h264"),
        Shown("shown in both sizes", size=(0, 0), count=8),
    ),
    Situation("a damaged film", file(_damaged, "clip.ts"), Shown("shown as far as possible", count=8)),
    Situation("a JPEG", file(_containing(JPEGS[0]), "still.jpg"), _STILL),
    Situation(
        "a JPEG that is to be turned (Exif)",
        file(_containing(turned(JPEGS[0], 8)), "still.jpg"),
        Shown("shown upright, once a second", size=(48, 64), levels=LEVELS[:1], count=2),
    ),
    Situation("a PNG", file(lambda path: cv2.imwrite(str(path), IMAGES[0]), "still.png"), _STILL),
    Situation("a name with a space, as a path", file(_film("libx264"), "my clip.mp4"), _FILM),
    Situation(
        "a name with a space, as a `file` URL with `%20`",
        file(_film("libx264"), "my clip.mp4", "file://{}"),
        _FILM,
    ),
    Situation("a name with `%d`", file(_film("libx264"), "%d.mp4"), _FILM),
    Situation("a link in quotes, with a line break", file(_film("libx264"), "clip.mp4", ' "{}"\n'), _FILM),
]

TROUBLE: Final = [
    Situation("a file that does not exist", link("{folder}/clip.mp4"), Refused("there is no such file")),
    Situation("a folder", link("{folder}"), Refused("it is a folder: expected a video file")),
    Situation("an empty file", file(_containing(b""), "clip.mp4"), Refused("it is empty")),
    Situation(
        "a text",
        file(_containing(b"not a film\n" * 100), "clip.mp4"),
        Refused("what it sends is not a video, or in a format that FFmpeg does not know"),
    ),
    Situation(
        "a web page that was saved in place of a film",
        file(_containing(b"<!DOCTYPE html>"), "clip.mp4"),
        Refused("it is a web page: expected the URL of a video"),
    ),
    Situation(
        "a film that was cut off before its index",
        file(_cut_off, "clip.mp4"),
        Refused("what it sends is not a video, or in a format that FFmpeg does not know"),
    ),
    Situation("sound only", file(videos.sound, "clip.m4a"), Refused("it has sound, but no video")),
    Situation("a playlist", file(_containing(b"#EXTM3U\n/etc/hostname\n"), "clip.m3u8"), _LIST),
    Situation(
        "an SDP file",
        file(_containing(b"v=0\nc=IN IP4 192.0.2.1\nm=video 5000 RTP/AVP 96\n"), "clip.sdp"),
        _LIST,
    ),
    Situation(
        "a list for FFmpeg's `concat`",
        file(_containing(b"ffconcat version 1.0\nfile /etc/hostname\n"), "clip.mp4"),
        _LIST,
    ),
    Situation(
        "a device that is not plugged in",
        link("/dev/video99"),
        Refused("it does not exist, or is not plugged in"),
    ),
    Situation("a device that is not a camera", link("/dev/null"), Refused("it is not a camera")),
]
