"""The original system's message: an OpenCV matrix as JSON, raw pixels in base64.

`{"mat": base64, "channels": 3, "rows": height, "cols": width, "type": 16}`, where `type` is OpenCV's number
for the depth and the channels (`CV_8UC1` 0, `CV_8UC3` 16, `CV_8UC4` 24), as gocv writes it; no spaces.
"""

import binascii
import json
import re
from typing import TYPE_CHECKING, Final

import pybase64

from pipeline.wire import largest

# Importing OpenCV and numpy takes a good part of a second: a message that is not a matrix must not cost that.
if TYPE_CHECKING:
    from pipeline.wire.picture import Image

_CHANNELS: Final = {0: 1, 16: 3, 24: 4}
LONGEST_SIDE: Final = 16_384
"""The most rows or columns that are accepted."""

_LONGEST_REST: Final = 1000  # bytes of the fields without the pixels
_PIXELS: Final = re.compile(rb'"mat"\s*:\s*"')


class MatError(ValueError):
    """The message is not a matrix of pixels; the text says what is wrong."""


class TooLargeError(MatError):
    """A matrix has more pixels than are accepted."""


def encode(image: "Image") -> bytes:
    """Write an image as the original's message."""
    import numpy as np  # noqa: PLC0415

    rows, columns, channels = image.shape
    text = pybase64.b64encode(np.ascontiguousarray(image).data)
    return b'{"mat":"%b","channels":%d,"rows":%d,"cols":%d,"type":16}' % (text, channels, rows, columns)


def decode(value: bytes, most: int = largest.MOST_PIXELS) -> "Image":
    """Read the original's message of at most `most` pixels as a BGR image.

    Raises `TooLargeError` for one with more pixels, and `MatError` for anything else. No more than the image
    is allocated, and only once the fields are known to fit each other.
    """
    if len(value) > largest.mat_bytes(most):
        raise TooLargeError(
            f"message of {len(value)} bytes, expected at most {largest.mat_bytes(most)} (MAXPIXELS={most})"
        )
    start = _PIXELS.search(value, 0, _LONGEST_REST)
    if start is None:
        raise MatError("not the fields of a matrix: no mat")
    begin = start.end()
    end = value.find(b'"', begin)
    if end < 0 or begin + len(value) - end > _LONGEST_REST:
        raise MatError(f"not a matrix in JSON: more than {_LONGEST_REST} bytes besides its pixels")
    rows, columns, channels = _shape(value[:begin] + value[end:])
    if rows * columns > most:
        raise TooLargeError(f"{columns}x{rows} pixels, expected at most {most} in total (MAXPIXELS)")
    length = rows * columns * channels
    if end - begin != -(-length // 3) * 4:
        raise MatError(
            f"expected {columns}x{rows} pixels of {channels} channels, found {end - begin} bytes of base64"
        )
    try:
        pixels = pybase64.b64decode(memoryview(value)[begin:end], validate=True)
    except binascii.Error as error:
        raise MatError(f"not a matrix in JSON: {error}") from None
    if len(pixels) != length:
        raise MatError(f"expected {columns}x{rows} pixels of {channels} channels, found {len(pixels)} bytes")
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    image = np.frombuffer(pixels, np.uint8).reshape(rows, columns, channels)
    if channels == 3:
        return image
    code = cv2.COLOR_GRAY2BGR if channels == 1 else cv2.COLOR_BGRA2BGR
    return cv2.cvtColor(image, code)  # type: ignore[return-value]


def _shape(rest: bytes) -> tuple[int, int, int]:
    """Return the rows, columns and channels in a message without its pixels."""
    try:
        fields = json.loads(rest)
        if fields["mat"]:
            raise MatError("not the fields of a matrix: several mats")
        rows, columns, kind = (int(fields[name]) for name in ("rows", "cols", "type"))
    except (KeyError, TypeError, OverflowError, RecursionError) as error:
        raise MatError(f"not the fields of a matrix: {error!r}") from None
    except ValueError as error:
        raise MatError(f"not a matrix in JSON: {error}") from None
    if kind not in _CHANNELS:
        raise MatError(f"expected type {sorted(_CHANNELS)} (8 bits per channel), found {kind}")
    if not (0 < rows <= LONGEST_SIDE and 0 < columns <= LONGEST_SIDE):
        raise MatError(f"expected 1x1 to {LONGEST_SIDE}x{LONGEST_SIDE} pixels, found {columns}x{rows}")
    return rows, columns, _CHANNELS[kind]
