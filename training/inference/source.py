"""The input topic, as one replica of a group reads it."""

import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from pipeline.kafka.causes import Causes
from pipeline.kafka.steady import SteadyConsumer
from pipeline.kafka.topics import Topic
from pipeline.service.logs import Seldom

log = logging.getLogger(__name__)

_WAIT: Final = 0.2  # s for a message
_PATIENCE: Final = 5.0  # s for a commit; a later one includes it
_AGAIN: Final = 0.1  # s between two attempts to commit
_LOOK_EVERY: Final = 1.0  # s between two looks how many messages wait
_OTHERS: Final = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError._ASSIGNMENT_LOST,
    }
)
"""The partitions belong to other replicas by now."""

CONFIG: Final = {
    "auto.offset.reset": "earliest",
    "partition.assignment.strategy": "cooperative-sticky",
    # The partitions of a replica that was killed are read by others after this time.
    "session.timeout.ms": 6_000,
    "heartbeat.interval.ms": 1_500,
    # While the model is away, a replica keeps its messages.
    "max.poll.interval.ms": 600_000,
}
"""librdkafka's settings for `Source`."""

Place = tuple[str, int]
"""A partition: its topic and its number."""


class Source:
    """Reads a topic together with the other replicas of the consumer's group, for one thread.

    Offsets are committed only with `commit`. `most` messages are taken at a time. `causes` are those of
    `consumer`. The topic is created unless it exists, with a partition for each replica.
    """

    def __init__(self, consumer: Consumer, topic: Topic, most: int, causes: Causes) -> None:
        self.waiting: int | None = None
        """How many messages wait in this replica's partitions, as far as is known."""
        self.gone = set[Place]()
        """The partitions that were not, or not always, this replica's during the last `take`."""
        self._consumer = consumer
        self._create = topic
        self._topic = topic.name
        self._most = most
        self._causes = causes
        self._seldom = Seldom(log)
        self._is_reading = False
        self._assigned = set[Place]()
        self._lost = set[Place]()
        self._trouble: str | None = None
        self._look_at = 0.0

    def begin(self) -> None:
        """Join the group; does nothing if this has been done, or if Kafka does not answer yet."""
        if self._is_reading or not self._create.prepare(self._consumer):
            return
        self._is_reading = True
        self._warn_of_idle_replicas()
        cast("SteadyConsumer", self._consumer).on_replace = self._subscribe
        self._subscribe()

    def unready(self) -> str | None:
        """Return why messages cannot be read, in one line, or None."""
        return self._causes.why() or self._trouble

    def take(self, *, waits: bool = True) -> list[Message]:
        """Return the messages that have come, or an empty list if none comes, or `waits` for a moment.

        Whoever has the partitions that are `gone` then begins where this replica has committed.
        """
        self._lost.clear()
        first = self._consumer.poll(_WAIT if waits else 0)
        self.gone = set(self._lost)
        if first is None:
            self._look()
            return []
        self._lost.clear()
        messages = [first]
        if self._most > 1:
            messages += self._consumer.consume(self._most - 1, 0)
        if self._lost:
            messages = [each for each in messages if place(each) not in self._lost]
            self.gone |= self._lost
        self._look()
        return [each for each in messages if self._is_message(each)]

    def commit(self, messages: Iterable[Message]) -> None:
        """Note that all messages up to these are done with. After a restart, reading goes on behind them."""
        ends = dict[Place, int]()
        for message in messages:
            at = place(message)
            ends[at] = max(ends.get(at, 0), (message.offset() or 0) + 1)
        left = [TopicPartition(topic, number, end) for (topic, number), end in ends.items()]
        until = time.monotonic() + _PATIENCE
        while left:
            left, error = self._tried(left)
            if error is None:
                return
            if error.code() in _OTHERS or time.monotonic() > until:
                self._seldom.warning(
                    "commit",
                    f"topic {self._topic}: messages were answered, but Kafka has not noted this, so they may"
                    f" be answered again: {error.str()}",
                )
                return
            time.sleep(_AGAIN)

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _warn_of_idle_replicas(self) -> None:
        found, replicas = self._create.found, self._create.least
        if found is not None and found < replicas:
            log.warning(
                "topic %s has %d partitions, so %d of %d replicas have nothing to do: give it more with"
                " kafka-topics.sh --alter --topic %s --partitions %d",
                *(self._topic, found, replicas - found, replicas, self._topic, replicas),
            )

    def _subscribe(self) -> None:
        # A client that takes over begins where this replica has committed.
        self._lost |= self._assigned
        self._assigned.clear()
        self._consumer.subscribe(
            [self._topic], on_assign=self._assign, on_revoke=self._revoke, on_lost=self._revoke
        )

    def _assign(self, _: Any, partitions: Sequence[TopicPartition]) -> None:
        self._trouble = None
        self._assigned |= {(each.topic, each.partition) for each in partitions}
        log.info("reading %d partitions of topic %s", len(self._assigned), self._topic)

    def _revoke(self, _: Any, partitions: Sequence[TopicPartition]) -> None:
        gone = {(each.topic, each.partition) for each in partitions}
        self._assigned -= gone
        self._lost |= gone

    def _tried(self, places: list[TopicPartition]) -> tuple[list[TopicPartition], KafkaError | None]:
        """Commit; return what was not committed, and why."""
        try:
            found = self._consumer.commit(offsets=places, asynchronous=False) or []
        except KafkaException as error:
            return places, error.args[0]
        left = [each for each in found if each.error is not None]
        return left, left[0].error if left else None

    def _is_message(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            self._trouble = None
            return True
        if error.code() != KafkaError._PARTITION_EOF:
            self._trouble = self._causes.of(error, self._topic, "read")
            self._seldom.warning("read", self._trouble)
        return False

    def _look(self) -> None:
        """Find out how many messages wait, once in a while, from what is known already."""
        if time.monotonic() < self._look_at or not self._assigned:
            return
        self._look_at = time.monotonic() + _LOOK_EVERY
        places = [TopicPartition(*each) for each in self._assigned]
        try:
            places = self._consumer.position(places)
            self.waiting = sum(map(self._behind, places))
        except KafkaException:
            self.waiting = None

    def _behind(self, place: TopicPartition) -> int:
        _, end = self._consumer.get_watermark_offsets(place, cached=True) or (0, 0)
        return max(0, end - place.offset) if place.offset >= 0 else 0


def place(message: Message) -> Place:
    """Return the partition of a message."""
    return message.topic() or "", message.partition() or 0
