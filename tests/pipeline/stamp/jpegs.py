"""JPEGs of many kinds, their parts, and predictions, for the tests of stamping."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from pipeline.stamp import draw_predictions
from pipeline.wire import picture
from pipeline.wire.frame import Frame
from pipeline.wire.picture import MCU, Image, PictureError
from pipeline.wire.predictions import Box, Prediction, Result
from tests.jpegs import segment, segments

EXIF: Final = bytes.fromhex("ffe1 0022 457869660000 4d4d002a00000008 0001 0112000300000001 00060000 00000000")
"""Metadata that asks for the picture to be rotated by a quarter turn."""

ADOBE: Final = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
"""Declares that the colours are red, green and blue, unless JFIF says otherwise."""


@dataclass(frozen=True)
class Parts:
    """A JPEG's head, its tiles, and the marker after each; the last one is the end marker."""

    head: bytes
    tiles: list[bytes]
    markers: list[bytes]


def noise(width: int, height: int, seed: int = 1) -> Image:
    """Return a picture no two parts of which are alike."""
    colours = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), np.uint8)
    return cv2.resize(colours, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def squares(width: int, height: int, seed: int = 1) -> Image:
    """Return a picture in which each MCU has a single shade of grey."""
    shape = -(-height // MCU), -(-width // MCU)
    shades = np.random.default_rng(seed).integers(40, 216, shape, np.uint8)
    whole = shades.repeat(MCU, axis=0).repeat(MCU, axis=1)
    return np.dstack([whole[:height, :width]] * 3)


def coded(image: Image, *options: int) -> bytes:
    """Return a JPEG that OpenCV encodes with these options."""
    ok, data = cv2.imencode(".jpg", image, options)
    assert ok
    return data.tobytes()


def camera_jpeg(
    image: Image, quality: int, sampling: int, *, interval: int = 0, optimize: bool = False
) -> bytes:
    """Return a JPEG as a camera might encode it."""
    options = {
        cv2.IMWRITE_JPEG_QUALITY: quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR: sampling << 16 | 0x1111,
        cv2.IMWRITE_JPEG_RST_INTERVAL: interval,
        cv2.IMWRITE_JPEG_OPTIMIZE: int(optimize),
    }
    return coded(image, *(number for option in options.items() for number in option))


def quantized(jpeg: bytes, *tables: bytes) -> bytes:
    """Return a JPEG with other quantization tables, of one byte per value or of two."""
    bodies = [bytes([number | (len(table) > 64) << 4]) + table for number, table in enumerate(tables)]
    front = b"".join(segment(0xDB, body) for body in bodies)
    return jpeg[:2] + front + without(jpeg, 0xDB)[2:]


def find(jpeg: bytes, marker: int) -> int:
    """Return the position of the first segment with that marker."""
    return next(begin for found, begin, _ in segments(jpeg) if found == marker)


def without(jpeg: bytes, *markers: int) -> bytes:
    """Return a JPEG without the segments that have these markers."""
    found = list(segments(jpeg))
    kept = b"".join(jpeg[begin:end] for marker, begin, end in found if marker not in markers)
    return jpeg[:2] + kept + jpeg[found[-1][2] :]


def changed(jpeg: bytes, at: int, data: bytes) -> bytes:
    """Return a JPEG with the bytes at a position replaced."""
    return jpeg[:at] + data + jpeg[at + len(data) :]


def split(jpeg: bytes) -> Parts:
    """Take a JPEG apart."""
    *_, (_, _, begin) = segments(jpeg)
    # Within entropy-coded data, ff is followed by 00 or begins a marker.
    pieces = re.split(rb"(\xff[^\x00])", jpeg[begin:])
    assert pieces.pop() == b""
    return Parts(jpeg[:begin], pieces[::2], pieces[1::2])


def joined(parts: Parts) -> bytes:
    """Put a JPEG together; its restart markers stay as they are."""
    pieces = zip(parts.tiles, parts.markers, strict=True)
    return parts.head + b"".join(tile + marker for tile, marker in pieces)


def answer(model: str, *results: Result, age_ms: int = 41) -> Prediction:
    """Return a model's prediction."""
    return Prediction(model, results, 17, age_ms)


def boxed(*boxes: Box | None, label: str = "mountain bike", age_ms: int = 41) -> Prediction:
    """Return a prediction about boxes, or about the picture as a whole (None)."""
    return answer("detect_1", *(Result(label, 0.93, box) for box in boxes), age_ms=age_ms)


def framed(jpeg: bytes, image: Image, *predictions: Prediction) -> Frame:
    """Return a JPEG as a frame with the size of a picture."""
    height, width = image.shape[:2]
    return Frame("door", 1, 1, jpeg, width, height, predictions)


def drawn(frame: Frame) -> Image:
    """Return a frame's picture, decoded as a whole, with its predictions on it."""
    image = picture.decode(frame.jpeg)
    draw_predictions(image, frame.predictions)
    return image


def decoded_by_ffmpeg(jpeg: bytes, folder: Path) -> Image:
    """Return the pixels that FFmpeg's decoder sees; raise `PictureError` where it sees none."""
    path = folder / "picture.mjpeg"
    path.write_bytes(jpeg)
    film = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        ok, image = film.read()
    finally:
        film.release()
    if not ok:
        raise PictureError(f"{len(jpeg)} bytes are not a picture")
    return image  # type: ignore[return-value]
