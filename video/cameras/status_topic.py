"""Reads the status topic: what producers and consumers report."""

import logging
import time
from collections.abc import Callable
from typing import Final

from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from prometheus_client import Counter

from pipeline.kafka.causes import topic_cause
from pipeline.service.logs import Seldom
from pipeline.wire.status import LIFETIME, Status, StatusError, decode, decode_key

log = logging.getLogger(__name__)

_BAD = Counter("streamlens_bad_status_records", "Messages on the status topic that are not records", ["kind"])
_LOOK_FIRST: Final = 1.0  # s between two looks for partitions while there are none
_LOOK_EVERY: Final = 30.0  # s, later


class StatusTopic:
    """Reads the whole topic, without a group, from its beginning; hands on each record with its age in s.

    A record that is too old is ignored; a message that is not a record is counted, logged and skipped. A
    tombstone means that the process has stopped. `consumer` must not create topics: it could not create this
    one as a compacted topic.
    """

    def __init__(self, consumer: Consumer, topic: str, sink: Callable[[Status, float], object]) -> None:
        self._consumer = consumer
        self._topic = topic
        self._sink = sink
        self._partitions: set[int] = set()
        self._look_at = 0.0
        self._seldom = Seldom(log)

    def step(self) -> None:
        """Read what has come, waiting for it a fifth of a second at most."""
        if time.monotonic() >= self._look_at:
            self._look()
        message = self._consumer.poll(0.2)
        if message is None:
            return
        if problem := message.error():
            # librdkafka looks for the coordinator of its group, which is not used here.
            if problem.code() != KafkaError.GROUP_AUTHORIZATION_FAILED:
                self._seldom.warning(problem.name(), topic_cause(problem, self._topic, "read"))
            return
        try:
            self._take(message)
        except StatusError as error:
            _BAD.labels(error.kind).inc()
            place = f"{self._topic}[{message.partition()}] at {message.offset()}"
            self._seldom.warning(error.kind, f"message of {place} skipped: {error}")

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()

    def _look(self) -> None:
        try:
            # All topics: asking for one that does not exist could create it.
            known = self._consumer.list_topics(timeout=0.5).topics.get(self._topic)
        except KafkaException:  # the reader of the frames says so
            known = None
        new = set(known.partitions) - self._partitions if known else set()
        if new:
            self._partitions |= new
            starts = [TopicPartition(self._topic, number, OFFSET_BEGINNING) for number in sorted(new)]
            self._consumer.incremental_assign(starts)
        self._look_at = time.monotonic() + (_LOOK_EVERY if self._partitions else _LOOK_FIRST)

    def _take(self, message: Message) -> None:
        age = _age(message)
        if age >= LIFETIME:
            return
        subject, value = decode_key(message.key()), message.value()
        if value is None:
            status = Status(subject, "stopped", None, time.time() - age)
        else:
            status = decode(subject, value)
        self._sink(status, age)


def _age(message: Message) -> float:
    kind, milliseconds = message.timestamp()
    return 0.0 if kind == TIMESTAMP_NOT_AVAILABLE else max(0.0, time.time() - milliseconds / 1000)
