"""Reads an endless topic in mini-batches: every message once, from where the training began."""

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from pipeline.kafka import clients
from pipeline.kafka.causes import Causes
from pipeline.service.logs import Seldom
from training.code.supervise import StoppedError

log = logging.getLogger(__name__)
_seldom: Final = Seldom(log)

MINI_BATCH: Final = 1_024
"""Messages of a mini-batch, as in Kafka-ML."""

MINI_BATCH_BYTES: Final = 64 * 2**20
"""Bytes of messages after which a mini-batch is full."""

_GATHER: Final = 1.0  # s after its first message until a mini-batch is complete
_WAIT: Final = 0.2  # s for a message
_LOOK_EVERY: Final = 2.0  # s between two looks at the topic's partitions
_ANSWER: Final = 10.0  # s

_CONFIG: Final = {
    "auto.offset.reset": "error",
    "allow.auto.create.topics": False,
}
_LOST: Final = {KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET}
_PASSING: Final = {KafkaError._PARTITION_EOF, KafkaError.GROUP_AUTHORIZATION_FAILED}


class Stream:
    """Reads a topic, for one thread; the topic may not exist yet, or get more partitions.

    `positions` are the next offsets of known partitions. A partition that is not among them is read from the
    first message sent after `since`; if the topic, or the partition, came later than this reader, from its
    beginning. `found` is called with such a partition and its first offset, and `waiting` with what the
    reader waits for.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        *,
        positions: Mapping[int, int],
        since: datetime | None,
        config: Mapping[str, Any],
        stop: threading.Event,
        found: Callable[[int, int], object],
        waiting: Callable[[str], object],
    ) -> None:
        self.positions = dict(positions)
        """The next offset of each partition."""
        self.deleted = 0
        """How many messages Kafka has deleted before they could be read, in the last `take`."""
        self._topic = topic
        self._causes = Causes(bootstrap)
        options = {**config, **_CONFIG}
        self._consumer = clients.consumer(bootstrap, "streamlens-training", _WAIT, options, self._causes)
        self._since = since
        self._stop = stop
        self._found = found
        self._waiting = waiting
        self._assigned = set[int]()
        self._is_first_look = True
        self._look_at = -math.inf
        self._trouble: str | None = None

    def close(self) -> None:
        """Leave Kafka."""
        self._consumer.close()

    def take(self, patience: float) -> list[Message]:
        """Return the next messages; an empty list if none comes within `patience` s, or some were deleted.

        While Kafka does not answer, the time does not count. Raises StoppedError after `stop`.
        """
        self.deleted = 0
        messages, size = list[Message](), 0
        until = time.monotonic() + patience
        while len(messages) < MINI_BATCH and size < MINI_BATCH_BYTES and not self.deleted:
            if self._stop.is_set():
                raise StoppedError
            self._look()
            left = until - time.monotonic()
            message = self._consumer.poll(max(0.0, min(_WAIT, left)))
            if message is not None and self._is_next(message):
                if not messages:
                    until = time.monotonic() + _GATHER
                messages.append(message)
                size += len(message)
            elif time.monotonic() >= until:
                break
            elif not messages and (why := self._why()):
                until = time.monotonic() + patience
                self._waiting(why)
            elif not messages:
                self._waiting(f"waiting for messages on topic {self._topic}")
        return messages

    def _why(self) -> str | None:
        """Return why Kafka cannot be read, if that is so."""
        return self._trouble or self._causes.why()

    def _is_next(self, message: Message) -> bool:
        error, partition = message.error(), message.partition() or 0
        if error is not None:
            self._meet(error, partition)
            return False
        self._trouble = None
        offset = message.offset() or 0
        if offset < self.positions[partition]:  # what a new client has read again
            return False
        self.positions[partition] = offset + 1
        return True

    def _meet(self, error: KafkaError, partition: int) -> None:
        if error.code() in _PASSING:
            return
        if error.code() in _LOST and partition in self._assigned:
            self._skip(partition)
            return
        self._trouble = self._causes.of(error, self._topic, "read")

    def _skip(self, partition: int) -> None:
        """Go on behind the messages that Kafka has deleted, or at the beginning of a topic that is new."""
        try:
            low, high = self._marks(partition)
        except KafkaException as error:
            self._trouble = self._causes.of(error.args[0], self._topic, "read")
            self._look_at = -math.inf
            self._assigned.discard(partition)
            self._consumer.incremental_unassign([TopicPartition(self._topic, partition)])
            return
        at = self.positions[partition]
        self._consumer.incremental_unassign([TopicPartition(self._topic, partition)])
        if at < low:
            self.deleted += low - at
            why = f"Kafka has deleted offsets {at} to {low - 1} before they were read (retention)"
        else:
            why = f"it ends at offset {high}, expected {at} or more: reading what it has now"
        _seldom.warning("deleted", f"topic {self._topic}, partition {partition}: {why}")
        self.positions[partition] = low
        self._consumer.incremental_assign([TopicPartition(self._topic, partition, low)])

    def _look(self) -> None:
        """Read partitions that are new."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + _LOOK_EVERY
        try:
            about = self._consumer.list_topics(self._topic, timeout=_ANSWER).topics[self._topic]
            error = about.error
            if error is not None and error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise KafkaException(error)
            for partition in sorted(about.partitions.keys() - self._assigned):
                self._begin(partition)
        except KafkaException as problem:
            self._trouble = self._causes.of(problem.args[0], self._topic, "read")
            return
        self._trouble = None
        self._is_first_look = False

    def _begin(self, partition: int) -> None:
        if partition not in self.positions:
            offset = self._first(partition)
            self._found(partition, offset)
            self.positions[partition] = offset
        place = TopicPartition(self._topic, partition, self.positions[partition])
        self._consumer.incremental_assign([place])
        self._assigned.add(partition)

    def _first(self, partition: int) -> int:
        """Return the offset where the reading of a partition begins."""
        low, high = self._marks(partition)
        if self._since is None or not self._is_first_look:
            return low
        moment = TopicPartition(self._topic, partition, int(self._since.timestamp() * 1000))
        (place,) = self._consumer.offsets_for_times([moment], timeout=_ANSWER)
        if place.error is not None:
            raise KafkaException(place.error)
        return int(place.offset) if place.offset >= 0 else high

    def _marks(self, partition: int) -> tuple[int, int]:
        marks = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), timeout=_ANSWER)
        return int(marks[0]), int(marks[1])
