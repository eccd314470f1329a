"""How long a camera may be silent before something is wrong: relative to its own rate."""

import heapq
from collections.abc import Iterable
from typing import Final

RECENT: Final = 30
"""How many of the last gaps between frames say something about a camera's rate."""

_TIMES: Final = 3
_MOST: Final = 120.0  # s


def patience(gaps: Iterable[float], least: float) -> float:
    """Return how long to wait for a camera's next frame, given the recent gaps between its frames; all in s.

    That is `least`, or three times the longest gap but one, up to two minutes: one gap may have been an
    outage. A single gap counts.
    """
    longest = heapq.nlargest(2, gaps)
    return max(least, min(_TIMES * longest[-1], _MOST)) if longest else least
