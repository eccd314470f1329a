"""Reads a whole topic, without a group, from its beginning."""

import logging
import time
from collections.abc import Callable
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from pipeline.kafka.causes import topic_cause
from pipeline.service.logs import Seldom

log = logging.getLogger(__name__)

_LOOK_FIRST: Final = 1.0  # s between two looks for partitions while there are none
_LOOK_EVERY: Final = 30.0  # s, later


class WholeTopic:
    """Hands each message to `take`. `consumer` must not create topics: they would have the wrong settings."""

    def __init__(self, consumer: Consumer, topic: str, take: Callable[[Message], object]) -> None:
        self._consumer = consumer
        self._topic = topic
        self._take = take
        self._partitions: set[int] = set()
        self._read: set[int] = set()
        self._look_at = 0.0
        self.is_missing = False
        """Whether Kafka has answered that there is no such topic."""
        self._seldom = Seldom(log)

    @property
    def is_at_end(self) -> bool:
        """Whether each partition was read to its end once, if the consumer has `enable.partition.eof`."""
        return bool(self._partitions) and self._read >= self._partitions

    def step(self) -> None:
        """Read a message, waiting for it a fifth of a second at most."""
        if time.monotonic() >= self._look_at:
            self._look()
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
            self._seldom.warning(problem.name(), topic_cause(problem, self._topic, "read"))

    def catch_up(self, timeout: float) -> None:
        """Read all that Kafka holds now, for `timeout` s at most; raise `KafkaException` if Kafka is away."""
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

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()

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
            self._consumer.incremental_assign(starts)
            self._partitions |= new
        self._look_at = time.monotonic() + (_LOOK_EVERY if self._partitions else _LOOK_FIRST)
