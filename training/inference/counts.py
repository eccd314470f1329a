"""What a replica counts."""

import threading
from dataclasses import dataclass
from typing import Final

from prometheus_client import Counter, Histogram

ANSWERED: Final = Counter("streamlens_inference_answers", "Messages that were answered")
BATCHES: Final = Counter("streamlens_inference_batches", "Batches that the model has predicted")
SKIPPED: Final = Counter(
    "streamlens_inference_skipped", "Messages that could not be answered, by reason", ["reason"]
)
TOOK: Final = Histogram(
    "streamlens_inference_model_seconds",
    "Time the model took for a batch",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)


@dataclass(frozen=True, slots=True)
class Totals:
    """Messages that this process has answered and skipped, and those that wait; None: unknown."""

    answered: int
    skipped: int
    waiting: int | None


class Counts:
    """Counts the messages of this process, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals = Totals(0, 0, None)

    def add(self, answered: int, skipped: dict[str, int], waiting: int | None) -> None:
        """Count messages that are done with; those skipped by reason."""
        ANSWERED.inc(answered)
        for reason, count in skipped.items():
            SKIPPED.labels(reason).inc(count)
        with self._lock:
            last = self._totals
            self._totals = Totals(last.answered + answered, last.skipped + sum(skipped.values()), waiting)

    def totals(self) -> Totals:
        """Return the counts."""
        with self._lock:
            return self._totals
