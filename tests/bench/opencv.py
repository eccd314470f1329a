"""A frame labelled with bare calls of OpenCV: decode the whole, draw, encode the whole."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from pipeline.wire.picture import Image
from pipeline.wire.predictions import Box
from tests.bench.clips import QUALITY

_BLACK_BELOW_WHITE: Final = ((0, 0, 0), 6), ((255, 255, 255), 2)


def encode(image: Image) -> bytes:
    """Encode an image as the producer does, with one restart marker after each row of MCUs."""
    interval = -(-image.shape[1] // 16)
    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_RST_INTERVAL, interval]
    return cv2.imencode(".jpg", image, options)[1].tobytes()


def label(jpeg: bytes, text: str, boxes: Sequence[Box] = ()) -> bytes:
    """Draw a line of text, and boxes with a text each."""
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    _write(image, text, 12, 32)
    for left, top, width, height in boxes:
        for color, thickness in _BLACK_BELOW_WHITE:
            cv2.rectangle(image, (left, top), (left + width, top + height), color, thickness)
        _write(image, text, left, top - 8)
    return encode(image)  # type: ignore[arg-type]  # OpenCV promises no element type


def _write(image: cv2.typing.MatLike, text: str, left: int, base: int) -> None:
    for color, thickness in _BLACK_BELOW_WHITE:
        cv2.putText(image, text, (left, base), cv2.FONT_HERSHEY_SIMPLEX, 1.1, color, thickness, cv2.LINE_AA)
