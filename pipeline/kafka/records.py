"""The records of a topic of which only the newest of each key counts."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from pipeline.kafka.causes import topic_cause
from pipeline.kafka.topics import Topic
from pipeline.service.logs import Seldom

log = logging.getLogger(__name__)

MOST_UNSENT: Final = 10_000
"""Records that wait for Kafka at most."""

_LOOK_FIRST: Final = 1.0  # s between two looks for partitions while there are none
_LOOK_EVERY: Final = 30.0  # s, later
_RETRY: Final = 3.0  # s


class FullError(Exception):
    """Too many records wait for Kafka."""


@dataclass(slots=True)
class _Unsent:
    """A record that Kafka does not have yet: when to send it (again), and what is done once it is there."""

    value: bytes | None
    due: float = 0.0
    stored: Future[None] = field(default_factory=Future)


class Records:
    """Reads a whole topic from its beginning, without a group, and follows it; writes until Kafka has it.

    Each message is handed to `take`, in the thread that calls `step`. `consumer` must not create topics: they
    would have the wrong settings. Only with a `producer` can anything be written; then, `create` is created
    unless it exists.
    """

    def __init__(
        self,
        consumer: Consumer,
        topic: str,
        take: Callable[[Message], object],
        *,
        producer: Producer | None = None,
        create: Topic | None = None,
    ) -> None:
        self._consumer = consumer
        self._topic = topic
        self._take = take
        self._producer = producer
        self._create = create
        self._partitions: set[int] = set()
        self._read: set[int] = set()
        self._unsent: dict[bytes, _Unsent] = {}
        self._look_at = 0.0
        self.is_missing = False
        """Whether Kafka has answered that there is no such topic."""
        self.trouble: str | None = None
        """Why the newest record could not be written, in one line."""
        self.forbidden: str | None = None
        """That Kafka has not permitted to read the topic, in one line."""
        self._seldom = Seldom(log)

    @property
    def is_at_end(self) -> bool:
        """Whether each partition was read to its end once, if the consumer has `enable.partition.eof`."""
        return bool(self._partitions) and self._read >= self._partitions

    @property
    def unsent(self) -> int:
        """How many records wait for Kafka."""
        return len(self._unsent)

    def step(self) -> None:
        """Send what is due, and read a message, waiting for it a fifth of a second at most.

        While there is no topic yet, it may take three seconds.
        """
        if not (self._is_there or self._prepare()):
            return
        if time.monotonic() >= self._look_at:
            self._look()
        self._send_due()
        message = self._consumer.poll(0.2)
        if message is None:
            return
        problem = message.error()
        if problem is None:
            self._take(message)
        elif problem.code() == KafkaError._PARTITION_EOF:
            self._read.add(message.partition() or 0)
        # librdkafka looks for the coordinator of its group, which is not used here.
        elif problem.code() != KafkaError.GROUP_AUTHORIZATION_FAILED:
            cause = topic_cause(problem, self._topic, "read")
            if problem.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                self.forbidden = cause
            self._seldom.warning(problem.name(), cause)

    def catch_up(self, timeout: float) -> bool:
        """Read all that Kafka holds now, for `timeout` s at most; return whether that was all.

        Raises `KafkaException` if Kafka is away.
        """
        until = time.monotonic() + timeout
        while not self._partitions and time.monotonic() < until:
            self.step()
        places = [TopicPartition(self._topic, each) for each in self._partitions]
        ends = [self._consumer.get_watermark_offsets(each, timeout=1)[1] for each in places]

        def is_behind() -> bool:
            read = self._consumer.position(places)
            return any(max(each.offset, 0) < end for each, end in zip(read, ends, strict=True))

        while is_behind() and time.monotonic() < until:
            self.step()
        return bool(places) and not is_behind()

    def put(self, key: bytes, value: bytes | None) -> Future[None]:
        """Write a record, or remove it (None); from any thread. The future is done once Kafka has it.

        A later record of the same key replaces one that waits, whose future is then cancelled. Raises
        `FullError` if too many others wait.
        """
        if len(self._unsent) >= MOST_UNSENT and key not in self._unsent:
            raise FullError(f"{MOST_UNSENT} records of topic {self._topic} wait for Kafka")
        unsent = _Unsent(value)
        if before := self._unsent.pop(key, None):
            before.stored.cancel()
        self._unsent[key] = unsent
        if self._producer is not None and self._is_there:
            self._send(self._producer, key, unsent)
        return unsent.stored

    def remove(self, key: bytes) -> Future[None]:
        """Remove a record; see `put`."""
        return self.put(key, None)

    def close(self) -> None:
        """Send the rest, which takes half a second at most, and stop reading."""
        if self._producer is not None and self._is_there:
            self._send_due()
            self._producer.flush(0.5)
        self._consumer.close()

    @property
    def _is_there(self) -> bool:
        return self._create is None or self._create.is_there

    def _prepare(self) -> bool:
        return self._create is None or self._producer is None or self._create.prepare(self._producer)

    def _look(self) -> None:
        try:
            # All topics: asking for one that does not exist could create it.
            known = self._consumer.list_topics(timeout=0.5).topics.get(self._topic)
            self.is_missing = known is None
        except KafkaException:  # the reader of the frames says so
            known, self.is_missing = None, False
        new = set(known.partitions) - self._partitions if known else set()
        if new:
            starts = [TopicPartition(self._topic, number, OFFSET_BEGINNING) for number in sorted(new)]
            try:
                self._consumer.incremental_assign(starts)
                self._partitions |= new
            except KafkaException as error:
                self._seldom.warning("assign", topic_cause(error.args[0], self._topic, "read"))
        self._look_at = time.monotonic() + (_LOOK_EVERY if self._partitions else _LOOK_FIRST)

    def _send_due(self) -> None:
        if self._producer is None:
            return
        now = time.monotonic()
        # A copy, since others may put records meanwhile.
        for key, unsent in self._unsent.copy().items():
            if unsent.due <= now:
                self._send(self._producer, key, unsent)
        self._producer.poll(0)

    def _send(self, producer: Producer, key: bytes, unsent: _Unsent) -> None:
        unsent.due = time.monotonic() + _RETRY

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                self._note(error)
            elif self._unsent.get(key) is unsent:
                del self._unsent[key]
                self.trouble = None
                with suppress(InvalidStateError):  # cancelled at this very moment
                    unsent.stored.set_result(None)

        try:
            with suppress(BufferError):
                producer.produce(self._topic, unsent.value, key, on_delivery=delivered)
        except KafkaException as error:
            self._note(error.args[0])

    def _note(self, error: KafkaError) -> None:
        self.trouble = topic_cause(error, self._topic, "write")
        self._seldom.warning(error.name(), f"a record was not stored: {self.trouble}")
