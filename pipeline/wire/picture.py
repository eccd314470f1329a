"""JPEG to pixels and back.

An image is an array of uint8, shape (height, width, 3), in the order blue, green, red.
"""

from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

MCU: Final = 16
"""The side of a minimum coded unit with 4:2:0 subsampling, in pixels."""

_420: Final = 0x22


class PictureError(ValueError):
    """Bytes cannot be decoded as a picture, or an image cannot be encoded."""


def encode(image: Image, quality: int, interval: int | None = None, sampling: int = _420) -> bytes:
    """Encode an image as JPEG, quality 1 to 100, with a restart marker after each `interval` MCUs.

    The default makes tiles of about 256 by 16 pixels (`restart_interval`). Tiles are independent of each
    other: each can be decoded, changed and replaced without the rest. They add about half a percent to the
    size. `sampling` has luma's factors, as in a frame header: 0x22 is 4:2:0, 0x21 is 4:2:2. Raises
    `PictureError` for a picture that is too large for the format.
    """
    height, width = image.shape[:2]
    interval = interval or restart_interval(width, 8 * (sampling >> 4))
    options = [
        *(cv2.IMWRITE_JPEG_QUALITY, quality),
        *(cv2.IMWRITE_JPEG_RST_INTERVAL, interval),
        *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling << 16 | 0x1111),
    ]
    ok, data = cv2.imencode(".jpg", image, options)
    if not ok:
        raise PictureError(f"{width} x {height} pixels cannot be encoded as JPEG")
    return data.tobytes()


@lru_cache(maxsize=256)
def restart_interval(width: int, mcu: int = MCU) -> int:
    """Return the MCUs between two restart markers, for MCUs that are `mcu` pixels wide.

    It is the smallest divisor of a row's MCUs that is at least a fifth of them, and at least 8 (or the row).
    """
    row = -(-width // mcu)
    return next(part for part in range(-(-row // 5), row + 1) if part >= min(row, 8) and row % part == 0)


def decode(jpeg: bytes) -> Image:
    """Decode a JPEG, in colour or grey; raise `PictureError` when that is not possible."""
    try:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:  # no bytes at all, or more pixels than OpenCV accepts
        raise PictureError(f"{len(jpeg)} bytes are not a picture: {error.err}") from None
    if image is None:
        raise PictureError(f"{len(jpeg)} bytes are not a picture")
    return image  # type: ignore[return-value]  # OpenCV promises no element type
