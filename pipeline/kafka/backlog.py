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
_LOOK_EVERY: Final = 0.1  # s
MOST_WAITING: Final = 100
"""The most messages of a partition that may wait behind bad ones."""


class Backlog:
    """Decides which partitions of a topic are to be read from their ends.

    Live video cannot wait behind thousands of messages that are not frames. When most of those read in the
    last tenth of a second were not, partitions in which many more wait are skipped.
    """

    def __init__(self, consumer: Consumer, topic: str) -> None:
        self._consumer = consumer
        self._topic = topic
        self._look_at = 0.0
        self._good = self._bad = 0
        self._seldom = Seldom(log)

    def read(self, *, is_frame: bool) -> None:
        """Count a message."""
        self._good += is_frame
        self._bad += not is_frame

    def to_skip(self, partitions: Collection[int]) -> list[TopicPartition]:
        """Return the partitions whose messages are not to be read any more, as far as they are there."""
        now = time.monotonic()
        if now < self._look_at:
            return []
        self._look_at = now + _LOOK_EVERY
        is_bad = self._bad > self._good
        self._good = self._bad = 0
        if not is_bad:
            return []
        places = self._consumer.position([TopicPartition(self._topic, number) for number in partitions])
        waiting = {place.partition: self._waiting(place) for place in places}
        far = [number for number, count in waiting.items() if count > MOST_WAITING]
        if skipped := sum(waiting[number] for number in far):
            _SKIPPED.inc(skipped)
            text = f"{skipped} messages of topic {self._topic} skipped: too few of those before were frames"
            self._seldom.warning("skipped", text)
        return [TopicPartition(self._topic, number) for number in far]

    def _waiting(self, place: TopicPartition) -> int:
        """Return how many messages of a partition have not been read; 0 while that is unknown."""
        _, end = self._consumer.get_watermark_offsets(place, cached=True) or (0, 0)
        return max(0, end - place.offset) if place.offset >= 0 else 0
