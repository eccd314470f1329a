"""JPEG to image, no larger than needed."""

from typing import Final

import cv2
import numpy as np

from pipeline.wire.picture import Image, PictureError

# Pixels that the decoder leaves out cost next to nothing.
_REDUCED: Final = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}


def decode_reduced(jpeg: bytes, size: tuple[int, int], wanted: tuple[int, int]) -> Image:
    """Decode a JPEG of `size` (width, height) that will be scaled to the `wanted` size.

    Returns it at 1/1, 1/2, 1/4 or 1/8 of its size: the smallest that is at least as large as the wanted one.
    Raises `PictureError` if it cannot be decoded.
    """
    most = max(1, min(size[0] // wanted[0], size[1] // wanted[1]))
    flag = next(flag for part, flag in _REDUCED.items() if part <= most)
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flag)
    if image is None:
        raise PictureError(f"{len(jpeg)} bytes are no picture")
    return image  # type: ignore[return-value]  # imread and its kin promise no element type
