"""Smaller pictures: choosing a scale for a width, and scaling a JPEG."""

from typing import Final

from pipeline.wire.jpeg import JpegError, size

SCALES: Final = (8, 4, 2, 1)
"""The divisors of width and height, coarsest first: decoding a JPEG to these sizes skips part of the work."""

_ENOUGH: Final = 0.8  # of the requested width
_QUALITY: Final = 80


class ScaleError(ValueError):
    """A picture cannot be decoded."""


def scale_for(width: int, requested: int) -> int:
    """Return the coarsest scale that leaves 0.8 x `requested` px of `width`; 1 if `requested` is 0."""
    if not requested:
        return 1
    return next((scale for scale in SCALES if -(-width // scale) >= _ENOUGH * requested), 1)


def shrink(jpeg: bytes, scale: int) -> tuple[bytes, int, int]:
    """Return a JPEG at 1/2, 1/4 or 1/8 of its size, with its width and height in px; raise `ScaleError`."""
    # Imported here because OpenCV takes memory that only smaller pictures need.
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    flags = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}
    try:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flags[scale])
    except cv2.error as error:
        raise ScaleError(f"cannot decode {len(jpeg)} bytes as a JPEG: {error.err}") from None
    if image is None:
        raise ScaleError(f"cannot decode {len(jpeg)} bytes as a JPEG")
    height, width = image.shape[:2]
    small = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    return small.tobytes(), width, height


def thumbnail(jpeg: bytes, requested: int) -> bytes:
    """Return a JPEG at least 0.8 x `requested` px wide; the given one if it is not larger, or is broken."""
    try:
        scale = scale_for(size(jpeg)[0], requested)
        return jpeg if scale == 1 else shrink(jpeg, scale)[0]
    except (JpegError, ScaleError):
        return jpeg
