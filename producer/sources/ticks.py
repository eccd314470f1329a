"""How often to take a picture from a source that has one at any time."""

from typing import Final

_VIDEO: Final = 0.1
_USUAL: Final = 1.0


def interval_of_pictures(interval: float) -> float:
    """Return the s between two pictures, given the s between two published frames.

    Intervals that are meant for video are too short, because each picture may be a request to a camera.
    """
    return interval if interval >= _VIDEO else _USUAL
