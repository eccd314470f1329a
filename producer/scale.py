"""Pictures made smaller or larger."""

import cv2

from pipeline.wire.picture import Image


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
