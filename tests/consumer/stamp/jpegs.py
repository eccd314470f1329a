"""JPEGs of many kinds, and what is in them, for the tests of stamping."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from consumer.stamp import annotate
from pipeline.wire import picture
from pipeline.wire.frame import Frame
from pipeline.wire.picture import MCU, Image, PictureError
from pipeline.wire.predictions import Box, Prediction, Result
from tests.jpegs import segments

EXIF: Final = bytes.fromhex("ffe1 0022 457869660000 4d4d002a00000008 0001 0112000300000001 00060000 00000000")
"""Says that the picture is to be turned by a quarter."""

ADOBE: Final = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
"""Says that the colours are red, green and blue, where no JFIF says otherwise."""


@dataclass(frozen=True)
class Parts:
    """What a JPEG is made of: its head, its tiles, and the marker after each; the last one is the end's."""

    head: bytes
    tiles: list[bytes]
    markers: list[bytes]


def noise(width: int, height: int, seed: int = 1) -> Image:
    """Return a picture of which no part is like another."""
    colours = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), np.uint8)
    return cv2.resize(colours, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def squares(width: int, height: int, seed: int = 1) -> Image:
    """Return a picture whose MCUs are of one shade of grey each."""
    shape = -(-height // MCU), -(-width // MCU)
    shades = np.random.default_rng(seed).integers(40, 216, shape, np.uint8)
    whole = shades.repeat(MCU, axis=0).repeat(MCU, axis=1)
    return np.dstack([whole[:height, :width]] * 3)


def coded(image: Image, *options: int) -> bytes:
    """Return a JPEG as OpenCV writes it with options of its own."""
    ok, data = cv2.imencode(".jpg", image, options)
    assert ok
    return data.tobytes()


def find(jpeg: bytes, marker: int) -> int:
    """Return where the first segment with that marker begins."""
    return next(begin for found, begin, _ in segments(jpeg) if found == marker)


def without(jpeg: bytes, *markers: int) -> bytes:
    """Return a JPEG without the segments that have these markers."""
    found = list(segments(jpeg))
    kept = b"".join(jpeg[begin:end] for marker, begin, end in found if marker not in markers)
    return jpeg[:2] + kept + jpeg[found[-1][2] :]


def changed(jpeg: bytes, at: int, data: bytes) -> bytes:
    """Return a JPEG with other bytes in a place."""
    return jpeg[:at] + data + jpeg[at + len(data) :]


def split(jpeg: bytes) -> Parts:
    """Take a JPEG apart."""
    *_, (_, _, begin) = segments(jpeg)
    # Within entropy-coded data a ff is followed by a 00, or it is a marker's.
    pieces = re.split(rb"(\xff[^\x00])", jpeg[begin:])
    assert pieces.pop() == b""
    return Parts(jpeg[:begin], pieces[::2], pieces[1::2])


def joined(parts: Parts) -> bytes:
    """Put a JPEG together; its restart markers are kept as they are."""
    pieces = zip(parts.tiles, parts.markers, strict=True)
    return parts.head + b"".join(tile + marker for tile, marker in pieces)


def boxed(*boxes: Box | None, label: str = "mountain bike", age_ms: int = 41) -> Prediction:
    """Return what a model said of boxes, or of the picture as a whole (None)."""
    return Prediction("detect_1", tuple(Result(label, 0.93, box) for box in boxes), 17, age_ms)


def framed(jpeg: bytes, image: Image, *predictions: Prediction) -> Frame:
    """Return a JPEG as a frame, of a picture's size."""
    height, width = image.shape[:2]
    return Frame("door", 1, 1, jpeg, width, height, predictions)


def drawn(frame: Frame) -> Image:
    """Return a frame's picture, decoded as a whole, with its predictions on it."""
    image = picture.decode(frame.jpeg)
    annotate.stamp(image, frame.predictions)
    return image


def decoded_by_ffmpeg(jpeg: bytes, folder: Path) -> Image:
    """Return the pixels as FFmpeg's own decoder sees them; raise `PictureError` where it sees none."""
    path = folder / "picture.mjpeg"
    path.write_bytes(jpeg)
    film = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        ok, image = film.read()
    finally:
        film.release()
    if not ok:
        raise PictureError(f"{len(jpeg)} bytes are no picture")
    return image  # type: ignore[return-value]
