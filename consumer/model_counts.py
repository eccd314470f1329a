"""What a model has answered, as rates over the last ten seconds, for the page of the video server."""

import time
from collections import Counter as Tally
from collections import deque
from collections.abc import Callable
from statistics import median_low
from threading import Lock
from typing import Final, NamedTuple

from pipeline.wire.figures import OVER, Dropped
from pipeline.wire.model_figures import ModelFigures

_SOON: Final = 0.5  # s between two samples that are worth comparing
_RECENT: Final = 64  # labels whose ages a median is of


class _Sample(NamedTuple):
    at: float
    requests: int
    frames: int
    took: float
    labels: int
    failed: dict[str, int]


class ModelCounts:
    """Counts from any thread; one thread calls `figures`, every few seconds. `server` is its address."""

    def __init__(self, server: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._server = server
        self._clock = clock
        self._lock = Lock()
        self._requests = self._frames = self._labels = 0
        self._took = 0.0
        self._failed = Tally[str]()
        self._ages = deque[float](maxlen=_RECENT)
        self._samples = deque[_Sample]()

    def answered(self, seconds: float) -> None:
        """Count a request that was answered, which took so long."""
        with self._lock:
            self._requests += 1
            self._took += seconds

    def failed(self, reason: str) -> None:
        """Count a request without a valid answer, and why, in one word."""
        with self._lock:
            self._failed[reason] += 1

    def inferred(self) -> None:
        """Count a frame that was answered."""
        with self._lock:
            self._frames += 1

    def labelled(self, age: float) -> None:
        """Note the age in s of an answer that is stamped on a frame."""
        with self._lock:
            self._labels += 1
            self._ages.append(age)

    def figures(self, trouble: str | None) -> ModelFigures:
        """Return the figures, with what is wrong with the model, if anything; the first have no rates."""
        with self._lock:
            now = _Sample(
                self._clock(), self._requests, self._frames, self._took, self._labels, dict(self._failed)
            )
            ages = [*self._ages]
        while len(self._samples) > 1 and self._samples[1].at <= now.at - OVER:
            self._samples.popleft()
        before = self._samples[0] if self._samples and now.at - self._samples[0].at >= _SOON else None
        if not self._samples or now.at - self._samples[-1].at >= _SOON:
            self._samples.append(now)
        if before is None:
            failed = {reason: Dropped(count) for reason, count in now.failed.items()}
            return ModelFigures(self._server, trouble, None, None, failed=failed)
        seconds, requests = now.at - before.at, now.requests - before.requests
        return ModelFigures(
            self._server,
            trouble,
            requests / seconds,
            (now.frames - before.frames) / seconds,
            (now.took - before.took) / requests if requests else None,
            median_low(ages) if now.labels > before.labels else None,
            {
                reason: Dropped(count, (count - before.failed.get(reason, 0)) / seconds)
                for reason, count in now.failed.items()
            },
        )
