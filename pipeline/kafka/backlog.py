"""Messages that wait in front of the newest frames, and are not worth reading."""

import logging
import time
from collections.abc import Collection
from typing import Final

from confluent_kafka import Consumer, TopicPartition
from prometheus_client import Counter

from pipeline.service.logs import Seldom

log = logging.getLogger(__name__)

_SKIPPED = Counter("streamlens_messages_skipped", "Messages that were not read, to reach the newest frames")
_WINDOW: Final = 0.05  # s
LONGEST_WAIT: Final = 0.1
"""The longest time in s that waiting messages may take to be read, behind bad ones."""


class Backlog:
    """Decides which partitions of a topic are to be read from their ends.

    Live video cannot wait behind thousands of messages that are not frames. A reader that was busy mostly
    with those, in two windows of time, skips the partitions whose waiting messages would take too long. One
    window does not count: the first message of a kind may take long.
    """

    def __init__(self, consumer: Consumer, topic: str) -> None:
        self._consumer = consumer
        self._topic = topic
        self._begun: float | None = None  # when the first message of the window came
        self._was_bad = False  # in the window before
        self._good = self._bad = 0
        self._seldom = Seldom(log)

    def idle(self, partitions: Collection[int]) -> None:
        """Note that no message has come; a window goes on if some wait at the broker, as large ones do."""
        if self._begun is not None and not (
            self._bad > self._good and any(self._waiting(partitions).values())
        ):
            self._begun, self._was_bad = None, False

    def read(self, *, is_frame: bool) -> None:
        """Count a message."""
        if self._begun is None:
            self._begun = time.monotonic()
            self._good = self._bad = 0
        self._good += is_frame
        self._bad += not is_frame

    def to_skip(self, partitions: Collection[int]) -> list[TopicPartition]:
        """Return the partitions whose messages are not to be read any more, as far as they are there."""
        if self._begun is None or (busy := time.monotonic() - self._begun) < _WINDOW:
            return []
        was_bad, self._was_bad = self._was_bad, self._bad > self._good
        self._begun = None
        if not (was_bad and self._was_bad and partitions):
            return []
        most = LONGEST_WAIT * (self._good + self._bad) / busy / len(partitions)
        waiting = self._waiting(partitions)
        far = [number for number, count in waiting.items() if count > most]
        if skipped := sum(waiting[number] for number in far):
            _SKIPPED.inc(skipped)
            text = f"{skipped} messages of topic {self._topic} skipped: too few of those before were frames"
            self._seldom.warning("skipped", text)
        return [TopicPartition(self._topic, number) for number in far]

    def _waiting(self, partitions: Collection[int]) -> dict[int, int]:
        """Return how many messages of each partition have not been read; 0 while that is unknown."""
        places = self._consumer.position([TopicPartition(self._topic, number) for number in partitions])
        return {place.partition: self._behind(place) for place in places}

    def _behind(self, place: TopicPartition) -> int:
        _, end = self._consumer.get_watermark_offsets(place, cached=True) or (0, 0)
        return max(0, end - place.offset) if place.offset >= 0 else 0
