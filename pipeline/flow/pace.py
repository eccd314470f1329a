"""Which of the frames that come are due, when only one per interval is wanted."""


class Pace:
    """Lets frames through at one per `interval` s on average, each at the moment it comes.

    A frame may come half an interval early, so that a stream of about the wanted rate keeps its frames
    however unevenly they arrive; after a pause that makes two frames at once.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._next = 0.0

    def due(self, now: float) -> bool:
        """Tell whether the frame that comes at `now` (s of a clock that only goes forward) is due."""
        if now < self._next - self._interval / 2:
            return False
        self._next = max(self._next + self._interval, now)
        return True
