"""Thins out a stream of frames to one per interval."""

import math


class Pace:
    """Lets frames through at one per `interval` s on average, each at the moment it comes.

    A frame may come half an interval early, so that a stream of about the right rate keeps its frames however
    unevenly they arrive. After a pause, this lets two frames through at once.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._next = -math.inf  # wherever the clock begins, the first frame comes after a pause

    def due(self, now: float) -> bool:
        """Return whether the frame that arrives at `now` (s of a clock that only goes forward) is due."""
        if now < self._next - self._interval / 2:
            return False
        self._next = max(self._next + self._interval, now)
        return True
