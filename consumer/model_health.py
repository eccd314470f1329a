"""The state of a model: what came of the requests, when to retry, and why it is not ready."""

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Final

from prometheus_client import Counter, Histogram

from consumer.model_counts import ModelCounts
from pipeline.model_server.errors import UNREAD, ModelError
from pipeline.service.logs import Seldom

log = logging.getLogger(__name__)

RECONNECTS: Final = Counter(
    "streamlens_model_reconnects",
    "Times a model's server was connected to again after that was lost",
    ["model"],
)
_REQUESTS = Counter("streamlens_model_requests", "Requests to a model, by outcome", ["model", "outcome"])
_SECONDS = Histogram("streamlens_model_answer_seconds", "Time a model took to answer", ["model"])
_BATCH = Histogram(
    "streamlens_model_batch_frames",
    "Frames in a request to a model",
    ["model"],
    buckets=(1, 2, 4, 8, 16, 32, 64),
)

_SHORTEST_PAUSE: Final = 0.1  # s after a failed request, doubled each time
_LONGEST_PAUSE: Final = 2.0
_IDLE: Final = 15.0  # s without a request, more than one can take
_LOOK_EVERY: Final = 2.0  # s


class ModelHealth:
    """Counts and logs what comes of a model's requests; for all its workers and for the health server."""

    def __init__(
        self,
        name: str,
        forget_after: float,
        clock: Callable[[], float] = time.monotonic,
        counts: ModelCounts | None = None,
    ) -> None:
        """Report a failing model as not ready once it has not answered for `forget_after` s."""
        self._counts = counts or ModelCounts(clock=clock)
        self._name = name
        self._forget_after = forget_after
        self._clock = clock
        self._seldom = Seldom(log)
        self._batch, self._seconds = _BATCH.labels(name), _SECONDS.labels(name)
        self._lock = threading.Lock()
        self._failures = 0
        self._trouble = "its server has not been asked yet"
        self._asked = self._answered = self._looked = -math.inf

    def asking(self, frames: int) -> None:
        """Note that a request about so many frames is on its way."""
        with self._lock:
            self._asked = self._clock()
        self._batch.observe(frames)

    def answered(self, seconds: float) -> None:
        """Note a valid answer, which took so long."""
        with self._lock:
            failures, self._failures = self._failures, 0
            self._answered, self._trouble = self._clock(), ""
        _REQUESTS.labels(self._name, "ok").inc()
        self._counts.answered(seconds)
        self._seconds.observe(seconds)
        if failures:
            log.info("model %s answers again", self._name)

    def failed(self, error: ModelError) -> None:
        """Note that there was no valid answer, so that the next request has to wait."""
        with self._lock:
            self._asked = self._clock()
            self._failures = min(self._failures + 1, 10)
        self._note(error)

    def refused(self, error: ModelError) -> None:
        """Note that frames were refused, or their answer is empty: the next request need not wait."""
        self._note(error)

    def pause(self) -> float:
        """Return how many seconds to wait before the next request, after as many failures as there were."""
        with self._lock:
            return min(_LONGEST_PAUSE, _SHORTEST_PAUSE * 2.0 ** (self._failures - 1)) if self._failures else 0

    def time_to_look(self) -> bool:
        """Return whether the caller should look if the server offers the model, and call `looked`.

        That is the case while nothing is known about it, and after a failure if no requests are made that
        would show that it is back. Only one of several workers gets True.
        """
        with self._lock:
            now = self._clock()
            if not self._trouble or now - self._asked <= _IDLE or now - self._looked < _LOOK_EVERY:
                return False
            self._looked = now
            return True

    def looked(self, missing: str | None) -> None:
        """Note why the server does not offer the model, or that it does."""
        with self._lock:
            self._trouble = missing or ""

    def unready(self) -> str | None:
        """Return what is wrong with the model, in one line, once its last answers are forgotten, or None."""
        trouble = self.trouble()
        return f"model {self._name}: {trouble}" if trouble else None

    def trouble(self) -> str | None:
        """Return the same without the model's name."""
        with self._lock:
            if not self._trouble or self._clock() - self._answered < self._forget_after:
                return None
            return self._trouble

    def _note(self, error: ModelError) -> None:
        with self._lock:
            self._trouble = str(error)
        _REQUESTS.labels(self._name, error.kind).inc()
        self._counts.failed(error.kind)
        if error.kind != UNREAD:
            self._seldom.warning(error.kind, f"model {self._name}: {error}")
