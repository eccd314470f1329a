"""What a replica counts."""

import threading
from collections import Counter as Tally
from collections.abc import Mapping
from typing import Final

from prometheus_client import Counter, Histogram

from pipeline.flow import ledger
from pipeline.flow.ledger import Ledger

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


class Counts(Ledger):
    """Counts the messages of this process, from any thread; as a ledger, in the lines of the log.

    `waiting` is how many messages wait in this replica's partitions, None if that is unknown; `skipped_why`
    is about the last message that was skipped.
    """

    unit = "messages per second"

    def __init__(self) -> None:
        super().__init__()
        self.waiting: int | None = None
        self.skipped_why: str | None = None
        self._guard = threading.Lock()
        self._answered = 0
        self._skipped = Tally[str]()
        self._oldest = list[float]()

    def add(self, answered: int, skipped: Mapping[str, int], age: float | None = None) -> None:
        """Count messages that are done with, those skipped by reason; the oldest is `age` s old."""
        ANSWERED.inc(answered)
        for reason, count in skipped.items():
            SKIPPED.labels(reason).inc(count)
        with self._guard:
            self._answered += answered
            self._skipped.update(skipped)
            if age is not None:
                self._oldest.append(age)

    @property
    def answered(self) -> int:
        """Messages that this process has answered."""
        return self._answered

    @property
    def skipped(self) -> int:
        """Messages that this process could not answer."""
        return self._skipped.total()

    def totals(self) -> ledger.Counts:
        """Return the counts."""
        with self._guard:
            skipped = dict(self._skipped)
            came = self._answered + self._skipped.total()
            return {"in": came, "out": self._answered, "dropped": skipped, "pending": 0}

    def take_ages(self) -> list[float]:
        """Return the ages in s of the oldest messages of all batches since the last call."""
        with self._guard:
            ages, self._oldest = self._oldest, []
        return ages
