"""The number of frames in one request."""

import threading
import time
from collections.abc import Callable
from typing import Final

RETRY_AFTER: Final = 300.0
"""Seconds after which a larger batch is tried again: the model may have been updated."""


class BatchSize:
    """At most `most`; halved if a model rejects a batch, doubled every five minutes; for any thread."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = self._now = most
        self._clock = clock
        self._changed = 0.0
        self._lock = threading.Lock()

    def current(self) -> int:
        """Return how many frames to send at once."""
        with self._lock:
            if self._now < self._most and self._clock() - self._changed >= RETRY_AFTER:
                self._now, self._changed = min(self._most, 2 * self._now), self._clock()
            return self._now

    def rejected(self, frames: int) -> int:
        """Note that so many frames are too many at once; return how many to send from now on."""
        with self._lock:
            self._now, self._changed = max(1, min(self._now, frames // 2)), self._clock()
            return self._now
