"""How long a camera may be silent before something is wrong: relative to its own rate."""

import heapq
from collections.abc import Iterable
from typing import Final

RECENT: Final = 30
"""How many of the last gaps between frames say something about a camera's rate."""

LONGEST: Final = 120.0
"""The longest time in s that a camera without frames, or an answer about its last one, is given."""

_TIMES: Final = 3


def usual_gap(gaps: Iterable[float]) -> float:
    """Return the longest gap but one, in s, because one may have been an outage; 0 if there is none.

    A single gap counts.
    """
    longest = heapq.nlargest(2, tuple(gaps))  # a copy, because another thread may add to them
    return longest[-1] if longest else 0.0


def patience(gaps: Iterable[float], least: float, interval: float = 0.0) -> float:
    """Return how long to wait for a camera's next frame, given the recent gaps between its frames; all in s.

    That is `least`, or three times the usual gap, up to two minutes. If the camera is known to keep to an
    `interval`, it is at least three times that, up to two minutes more than that.
    """
    known = min(_TIMES * interval, interval + LONGEST)
    return max(least, known, min(_TIMES * usual_gap(gaps), LONGEST))
