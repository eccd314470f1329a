"""Pictures made smaller or larger."""

from typing import Final

import cv2
import numpy as np

from pipeline.wire.picture import Image, PictureError

# What the decoder leaves out costs next to nothing.
_REDUCED: Final = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}


def size_of(width: int, height: int, factors: tuple[float, float]) -> tuple[int, int]:
    """Return width and height in pixels times the factors, 1 at least."""
    return max(1, round(width * factors[0])), max(1, round(height * factors[1]))


def to_size(image: Image, width: int, height: int) -> Image:
    """Return an image of this size in pixels; the same one when it has it."""
    # A pixel of the smaller image is the mean of all that it stands for: first of two by two, again and
    # again, which costs a fifth of OpenCV's INTER_AREA, then of what lies between its neighbours.
    while image.shape[1] >= 2 * width and image.shape[0] >= 2 * height:
        image = cv2.resize(image, None, fx=0.5, fy=0.5)  # type: ignore[assignment]  # no element type
    if image.shape[:2] == (height, width):
        return image
    one_way = image.shape[1] >= 2 * width or image.shape[0] >= 2 * height
    how = cv2.INTER_AREA if one_way else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=how)  # type: ignore[return-value]


def decode(jpeg: bytes, size: tuple[int, int], wanted: tuple[int, int]) -> Image:
    """Decode a JPEG whose `size` (width, height) is to become the `wanted` one.

    It comes out at 1/1, 1/2, 1/4 or 1/8 of its size, the smallest that is not below the wanted. Raises
    `PictureError` when it cannot be decoded.
    """
    most = max(1, min(size[0] // wanted[0], size[1] // wanted[1]))
    flag = next(flag for part, flag in _REDUCED.items() if part <= most)
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flag)
    if image is None:
        raise PictureError(f"{len(jpeg)} bytes are no picture")
    return image  # type: ignore[return-value]  # imread and its kin promise no element type
