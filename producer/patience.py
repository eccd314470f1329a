"""How long a producer waits for its camera's next frame before it opens the camera again."""

from collections import deque
from typing import Final

from pipeline.flow.patience import LONGEST, RECENT, patience, usual_gap

_FEW: Final = 3  # frames, which are too few to know a camera's rate


class Patience:
    """Grows with the gaps between a camera's frames; at least `least` s.

    A camera that delivers a frame or two and is then silent may be slow: each time that it is given up, it
    gets twice as long the next time. Times are in s of a clock that only goes forward.
    """

    def __init__(self, least: float) -> None:
        self._least = self._floor = least
        self._gaps = deque[float](maxlen=RECENT)
        self._last: float | None = None
        self._frames = 0  # since the camera was opened

    @property
    def seconds(self) -> float:
        """How long to wait for the next frame."""
        return patience(self._gaps, self._floor)

    @property
    def usual(self) -> float:
        """The usual time between two frames; 0 if it is not known."""
        return usual_gap(self._gaps)

    def came(self, now: float) -> None:
        """Note a frame."""
        if self._last is not None:
            self._gaps.append(now - self._last)
        self._last = now
        self._frames += 1
        if self._frames > _FEW:
            self._floor = self._least

    def closed(self, now: float) -> None:
        """Note that the camera was closed: the time until its next frame says nothing about its rate."""
        if self._last is not None and self._frames <= _FEW and now - self._last >= 0.9 * self.seconds:
            self._floor = max(self._least, min(2 * self.seconds, LONGEST))
        self._last = None
        self._frames = 0
