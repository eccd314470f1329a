"""Messages that wait to be read before the newest frames."""

import logging
import time
from collections.abc import Collection
from typing import Final

from confluent_kafka import Consumer, Message, TopicPartition
from prometheus_client import Counter

from pipeline.service.logs import Seldom

log = logging.getLogger(__name__)

_SKIPPED: Final = Counter(
    "streamlens_messages_skipped", "Messages that were not read, to reach the newest frames"
)
_WINDOW: Final = 0.05  # s
_FEW: Final = 100  # frames, which are always read: labelling large ones takes a while
_MANY: Final = 100  # messages in a window: if fewer come, they are large, and take long to come
LONGEST_WAIT: Final = 0.1
"""The longest time in s that it may take to read what waits behind bad messages."""

LONGEST_QUEUE: Final = 1.0
"""The longest time in s that it may take to read what waits behind frames."""


class Backlog:
    """Decides which messages of a topic are skipped, because reading them all would take too long.

    That depends on the messages of the last two windows of time: behind bad ones, nothing may wait for long;
    behind frames, it may take longer. One window does not count: the first message of a kind may take long.

    Behind many bad messages, those that wait are passed over, except those of known cameras: that is quick,
    and these lose nothing. If even that would take as long as may be behind frames, and behind large messages
    or frames, a partition is read from its end, which takes a while and loses what known cameras have sent.
    """

    def __init__(self, consumer: Consumer, topic: str) -> None:
        self._consumer = consumer
        self._topic = topic
        self._begun: float | None = None  # when the first message of the window came
        self._was_bad: bool | None = None  # whether most were in the window before, if there was one
        self._good = self._bad = 0
        self._pass_over: dict[int, int] = {}  # up to which offset of a partition
        self._seldom = Seldom(log)

    @property
    def passes_over(self) -> bool:
        """Whether some messages are skipped unless they are of known cameras: those that `is_old` names."""
        return bool(self._pass_over)

    def is_old(self, message: Message) -> bool:
        """Return whether a message is one of those."""
        return (message.offset() or 0) < self._pass_over.get(message.partition() or 0, 0)

    def passed_over(self, count: int) -> None:
        """Count messages that were passed over."""
        _SKIPPED.inc(count)
        self._begin()
        self._bad += count

    def idle(self, partitions: Collection[int]) -> None:
        """Note that no message has come, which ends the window.

        It continues if most messages were bad and others wait at the broker: large ones take a while to come.
        """
        if self._begun is None and not self._pass_over:
            return
        if self._bad > self._good and any(self._waiting(partitions).values()):
            return
        self._begun = self._was_bad = None
        self._pass_over.clear()

    def read(self, *, is_frame: bool) -> None:
        """Count a message."""
        self._begin()
        self._good += is_frame
        self._bad += not is_frame

    def _begin(self) -> None:
        if self._begun is None:
            self._begun = time.monotonic()
            self._good = self._bad = 0

    def to_skip(self, partitions: Collection[int]) -> list[TopicPartition]:
        """Return the partitions to be read from their ends."""
        if self._begun is None or (busy := time.monotonic() - self._begun) < _WINDOW:
            return []
        self._begun = None
        was_bad, self._was_bad = self._was_bad, self._bad > self._good
        if was_bad is None or not partitions:
            return []
        is_bad = was_bad and self._was_bad
        longest, fewest = (LONGEST_WAIT, 0) if is_bad else (LONGEST_QUEUE, _FEW)
        rate = (self._good + self._bad) / busy / len(partitions)
        most = max(fewest, longest * rate)
        places = self._consumer.position([TopicPartition(self._topic, number) for number in partitions])
        waiting = {place.partition: self._behind(place) for place in places}
        far = [place for place in places if waiting[place.partition] > most]
        if not far:
            return []
        skipped = sum(waiting[place.partition] for place in far)
        why = "most of those before were not frames" if is_bad else f"they would take {longest:g} s or more"
        self._seldom.warning("skipped", f"{skipped} messages of topic {self._topic} skipped: {why}")
        # Where bad messages have just begun to come, the window says little about how quickly they are read.
        may_pass = self._was_bad and (not was_bad or self._good + self._bad >= _MANY)
        from_the_end = []
        for place in far:
            passes = place.offset < self._pass_over.get(place.partition, 0)
            if may_pass and not (passes and waiting[place.partition] > LONGEST_QUEUE * rate):
                self._pass_over[place.partition] = place.offset + waiting[place.partition]
            else:
                from_the_end.append(place.partition)
                _SKIPPED.inc(waiting[place.partition])
        return [TopicPartition(self._topic, number) for number in from_the_end]

    def _waiting(self, partitions: Collection[int]) -> dict[int, int]:
        """Return how many messages of each partition have not been read; 0 while that is unknown."""
        places = self._consumer.position([TopicPartition(self._topic, number) for number in partitions])
        return {place.partition: self._behind(place) for place in places}

    def _behind(self, place: TopicPartition) -> int:
        _, end = self._consumer.get_watermark_offsets(place, cached=True) or (0, 0)
        return max(0, end - place.offset) if place.offset >= 0 else 0
