"""The largest frame that is accepted: one number of pixels, and the bytes that follow from it.

It needs memory: the README of this folder says how much.
"""

from typing import Final

PIXELS: Final = 16_000_000
"""The default of `MAXPIXELS`: 4608 x 3456 and 4K fit."""

MOST_PIXELS: Final = 64_000_000
"""The highest `MAXPIXELS`."""

_HEAD: Final = 256 * 1024


def jpeg_bytes(pixels: int) -> int:
    """Return the most bytes of a JPEG; noise at quality 100 takes two per pixel."""
    return 2 * pixels + _HEAD


def mat_bytes(pixels: int) -> int:
    """Return the most bytes of the original system's message: base64 of three bytes per pixel."""
    return 4 * pixels + _HEAD


def frames_bytes(pixels: int) -> int:
    """Return the most bytes of the newest frames of all cameras together."""
    return 8 * pixels
