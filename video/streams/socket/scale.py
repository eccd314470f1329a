"""Smaller pictures: which size does for a width, and making it."""

from typing import Final

from pipeline.wire.jpeg import JpegError, size

SCALES: Final = (8, 4, 2, 1)
"""What the sides may be divided by, coarsest first: a JPEG is decoded to these at less than the full cost."""

_ENOUGH: Final = 0.8  # of the width wanted
_QUALITY: Final = 80


class ScaleError(ValueError):
    """A picture cannot be decoded."""


def scale_for(width: int, wanted: int) -> int:
    """Return the coarsest scale at which `width` px become at least 0.8 x `wanted`; 1 when wanted is 0."""
    if not wanted:
        return 1
    return next((scale for scale in SCALES if -(-width // scale) >= _ENOUGH * wanted), 1)


def shrink(jpeg: bytes, scale: int) -> tuple[bytes, int, int]:
    """Return a JPEG at 1/2, 1/4 or 1/8 of its size, with its width and height in px; raise `ScaleError`."""
    # Only who wants smaller pictures pays for the memory that OpenCV takes.
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    flags = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}
    try:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flags[scale])
    except cv2.error as error:
        raise ScaleError(f"{len(jpeg)} bytes are no picture: {error.err}") from None
    if image is None:
        raise ScaleError(f"{len(jpeg)} bytes are no picture")
    height, width = image.shape[:2]
    small = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    return small.tobytes(), width, height


def fitted(jpeg: bytes, wanted: int) -> bytes:
    """Return a JPEG that is at least 0.8 x `wanted` px wide: a smaller one, or itself where there is none."""
    try:
        scale = scale_for(size(jpeg)[0], wanted)
        return jpeg if scale == 1 else shrink(jpeg, scale)[0]
    except (JpegError, ScaleError):
        return jpeg
