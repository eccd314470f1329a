"""Decode a JPEG no larger than needed."""

from typing import Final

import cv2
import numpy as np

from pipeline.wire.picture import Image, PictureError

# Pixels that the decoder skips cost next to nothing.
_REDUCED: Final = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}


def decode_reduced(jpeg: bytes, size: tuple[int, int], target: tuple[int, int]) -> Image:
    """Decode a JPEG of `size` (width, height) that will be scaled to `target`.

    Returns it at 1/1, 1/2, 1/4 or 1/8 of its size: the smallest that is at least as large as the target.
    Raises `PictureError` if it cannot be decoded.
    """
    most = max(1, min(size[0] // target[0], size[1] // target[1]))
    flag = next(flag for part, flag in _REDUCED.items() if part <= most)
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flag)
    if image is None:
        raise PictureError(f"{len(jpeg)} bytes that cannot be decoded")
    return image  # type: ignore[return-value]  # imdecode declares no element type
