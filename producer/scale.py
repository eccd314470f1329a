"""Scale and turn pictures."""

from typing import Final

import cv2

from pipeline.wire.picture import Image


def size_of(width: int, height: int, factors: tuple[float, float]) -> tuple[int, int]:
    """Return width and height in pixels, multiplied by the factors; each is at least 1."""
    return max(1, round(width * factors[0])), max(1, round(height * factors[1]))


_TURNS: Final = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


def turned_size(width: int, height: int, degrees: int) -> tuple[int, int]:
    """Return the width and height of a picture that has been turned by a multiple of 90 degrees."""
    return (height, width) if degrees % 180 else (width, height)


def turn(image: Image, degrees: int) -> Image:
    """Return the image turned clockwise by 0, 90, 180 or 270 degrees."""
    return cv2.rotate(image, _TURNS[degrees]) if degrees else image  # type: ignore[return-value]


def to_size(image: Image, width: int, height: int) -> Image:
    """Return the image scaled to this size in pixels; the same object if it already has that size."""
    # Each pixel of a smaller image is the mean of the pixels it covers. Halving repeatedly and interpolating
    # the rest costs a fifth of OpenCV's INTER_AREA.
    while image.shape[1] >= 2 * width and image.shape[0] >= 2 * height:
        image = cv2.resize(image, None, fx=0.5, fy=0.5)  # type: ignore[assignment]  # no element type
    if image.shape[:2] == (height, width):
        return image
    one_way = image.shape[1] >= 2 * width or image.shape[0] >= 2 * height
    how = cv2.INTER_AREA if one_way else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=how)  # type: ignore[return-value]
