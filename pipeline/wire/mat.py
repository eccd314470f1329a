"""The original system's message: an OpenCV matrix as JSON, raw pixels in base64.

`{"mat": base64, "channels": 3, "rows": height, "cols": width, "type": 16}`, where `type` is OpenCV's number
for the depth and the channels (`CV_8UC1` 0, `CV_8UC3` 16, `CV_8UC4` 24), as gocv writes it; no spaces.
"""

import binascii
import json
from typing import Final

import cv2
import numpy as np
import pybase64

from pipeline.wire.picture import Image

_CHANNELS: Final = {0: 1, 16: 3, 24: 4}
LONGEST_SIDE: Final = 16_384
"""The most rows or columns that are accepted."""


class MatError(ValueError):
    """The message is not a matrix of pixels; the text says what is wrong."""


def encode(image: Image) -> bytes:
    """Write an image as the original's message."""
    rows, columns, channels = image.shape
    text = pybase64.b64encode(np.ascontiguousarray(image).data)
    return b'{"mat":"%b","channels":%d,"rows":%d,"cols":%d,"type":16}' % (text, channels, rows, columns)


def decode(value: bytes) -> Image:
    """Read the original's message as a BGR image; raise `MatError` for anything else."""
    try:
        fields = json.loads(value)
        pixels = pybase64.b64decode(fields["mat"], validate=True)
        rows, columns, kind = (int(fields[name]) for name in ("rows", "cols", "type"))
    except (KeyError, TypeError, OverflowError, RecursionError) as error:
        raise MatError(f"not the fields of a matrix: {error!r}") from None
    except (ValueError, binascii.Error) as error:
        raise MatError(f"not a matrix in JSON: {error}") from None
    if kind not in _CHANNELS:
        raise MatError(f"expected type {sorted(_CHANNELS)} (8 bits per channel), found {kind}")
    channels = _CHANNELS[kind]
    if not (0 < rows <= LONGEST_SIDE and 0 < columns <= LONGEST_SIDE):
        raise MatError(f"expected 1x1 to {LONGEST_SIDE}x{LONGEST_SIDE} pixels, found {columns}x{rows}")
    if len(pixels) != rows * columns * channels:
        raise MatError(f"expected {columns}x{rows} pixels of {channels} channels, found {len(pixels)} bytes")
    image = np.frombuffer(pixels, np.uint8).reshape(rows, columns, channels)
    if channels == 3:
        return image
    code = cv2.COLOR_GRAY2BGR if channels == 1 else cv2.COLOR_BGRA2BGR
    return cv2.cvtColor(image, code)  # type: ignore[return-value]
