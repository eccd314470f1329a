"""Kafka as federated training uses it: topics that are followed, and bytes that are sent and fetched."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from pipeline.kafka import clients
from pipeline.kafka.causes import Causes
from pipeline.kafka.topics import KEPT, Topic
from pipeline.service.logs import Seldom
from training.code.supervise import StoppedError
from training.data.ranges import Range

log = logging.getLogger(__name__)
_seldom: Final = Seldom(log)

CHUNK: Final = 900_000
"""Bytes of a message: brokers take one of a million by default."""

KEPT_A_DAY: Final[Mapping[str, str]] = {"retention.ms": "86400000"}
"""Settings of topics with weights."""

_WAIT: Final = 0.2  # s
_LOOK_EVERY: Final = 2.0  # s between two looks for partitions
_RETRY: Final = 1.0  # s
_PATIENCE: Final = 20.0  # s without a message of a set
_ATTEMPTS: Final = 10  # to write a set without other messages in between
_WRITES: Final = {
    "acks": "all",
    "enable.idempotence": True,
    "message.send.max.retries": 2**31 - 1,
    "message.timeout.ms": 10_000,
}
_READS: Final = {
    "auto.offset.reset": "earliest",
    "enable.partition.eof": True,
    "allow.auto.create.topics": False,
}
    "auto.offset.reset": "earliest",
    "enable.partition.eof": True,
    "allow.auto.create.topics": False,
}

Offsets = dict[int, int]
"""The next offset of each partition."""


class Follower:
    """Reads topics from their beginnings, without a group, also if they do not exist yet."""

    def __init__(self, consumer: Consumer, causes: Causes) -> None:
        self._consumer = consumer
        self._causes = causes
        self._topics = dict[str, Offsets]()
        self._known = set[tuple[str, int]]()
        self._read = set[tuple[str, int]]()
        self._look_at = 0.0
        self.trouble: str | None = None
        """Why a topic cannot be read, in one line."""

    def add(self, topic: str, offsets: Offsets | None = None) -> None:
        """Follow a topic, from offsets where they are known."""
        if topic not in self._topics:
            self._topics[topic] = dict(offsets or {})
            self._look_at = 0.0

    def remove(self, topic: str) -> None:
        """Follow a topic no longer."""
        if self._topics.pop(topic, None) is not None:
            places = {place for place in self._known if place[0] == topic}
            self._consumer.incremental_unassign([TopicPartition(*place) for place in places])
            self._known -= places
            self._read -= places

    def offsets(self, topic: str) -> Offsets:
        """Return where the reading of a topic is."""
        return dict(self._topics[topic])

    def is_at_end(self, topic: str) -> bool:
        """Return whether all that a topic had was read once."""
        places = {place for place in self._known if place[0] == topic}
        return bool(places) and places <= self._read

    def poll(self) -> Message | None:
        """Return the next message of any topic; None if there is none for a fifth of a second."""
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _LOOK_EVERY
            self.trouble = next(filter(None, map(self._look, self._topics)), None)
        message = self._consumer.poll(_WAIT)
        if message is None:
            return None
        place = message.topic() or "", message.partition() or 0
        if (error := message.error()) is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                self._read.add(place)
            return None
        if place[0] not in self._topics:
            return None
        self._topics[place[0]][place[1]] = (message.offset() or 0) + 1
        return message

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()

    def _look(self, topic: str) -> str | None:
        """Read partitions that are new; return why the topic cannot be read, if that is so."""
        try:
            found = self._consumer.list_topics(topic, timeout=5).topics[topic]
        except KafkaException as error:
            return self._causes.of(error.args[0], topic, "read")
        new = {(topic, number) for number in found.partitions} - self._known
        if new:
            begin = self._topics[topic]
            places = [TopicPartition(*each, begin.get(each[1], OFFSET_BEGINNING)) for each in sorted(new)]
            self._consumer.incremental_assign(places)
            self._known |= new
        if found.error is None or found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return None
        return self._causes.of(found.error, topic, "read")


class Sender:
    """Writes messages until Kafka has them; `waiting` learns what keeps it from that.

    All methods raise StoppedError after `stop`, and ValueError if Kafka will never take a message.
    """

    def __init__(
        self,
        producer: Producer,
        causes: Causes,
        stop: threading.Event,
        waiting: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._producer = producer
        self._causes = causes
        self._stop = stop
        self._waiting = waiting

    def send(self, topic: str, value: bytes, key: bytes | None) -> int:
        """Write a message to the first partition; return its offset."""
        while True:
            found = list[KafkaError | int]()
            try:
                self._producer.produce(topic, value, key, 0, on_delivery=partial(_note, found))
            except BufferError:
                pass
            except KafkaException as error:
                found.append(error.args[0])
            while not found and self._producer.flush(_WAIT) and not self._stop.is_set():
                pass
            match found:
                case [int(offset)]:
                    return offset
                case [error] if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
                    raise ValueError(
                        f"topic {topic}: a message of {len(value)} bytes is larger than it accepts: raise its"
                        " max.message.bytes"
                    )
                case [error]:
                    why = self._causes.of(error, topic, "write")
                    _seldom.warning(topic, f"{why}: trying again")
                    self._waiting(why)
            if self._stop.wait(_RETRY):
                raise StoppedError

    def send_bytes(self, topic: str, data: bytes) -> Range:
        """Write bytes as one message, or several; return where they are."""
        for _ in range(_ATTEMPTS):
            offsets = [
                self.send(topic, chunk, number.to_bytes(4)) for number, chunk in enumerate(_chunks(data))
            ]
            if offsets == [*range(offsets[0], offsets[0] + len(offsets))]:
                return Range(topic, 0, offsets[0], offsets[-1] + 1)
            log.warning("topic %s: others write to it, too; sending again", topic)
        raise ValueError(f"topic {topic}: others write to it all the time: allow WRITE to this user only")

    def close(self) -> None:
        """Send the rest, for a second at most."""
        self._producer.flush(1)


def fetch(consumer: Consumer, place: Range, size: int, stop: threading.Event) -> bytes:
    """Return the `size` bytes in a range of messages.

    Raises ValueError if there are fewer or more, or if nothing comes for twenty seconds; StoppedError after
    `stop`.
    """
    found, at, heard = bytearray(), place.start, time.monotonic()
    consumer.incremental_assign([TopicPartition(place.topic, place.partition, place.start)])
    try:
        while at < place.end:
            if stop.is_set():
                raise StoppedError
            message = consumer.poll(_WAIT)
            if message is None or message.error() is not None:
                if time.monotonic() - heard > _PATIENCE:
                    raise ValueError(f"the messages {place} cannot be read: they are missing, or deleted")
                continue
            at, heard = (message.offset() or 0) + 1, time.monotonic()
            if at <= place.end:
                found += message.value() or b""
            if len(found) > size:
                break
    finally:
        consumer.incremental_unassign([TopicPartition(place.topic, place.partition)])
    if len(found) != size:
        raise ValueError(f"the messages {place} have {len(found)} bytes or more: expected {size}")
    return bytes(found)


class Kafka:
    """The clients of one Kafka."""

    def __init__(self, bootstrap: str, config: Mapping[str, Any], stop: threading.Event) -> None:
        self._bootstrap = bootstrap
        self._config = dict(config)
        self._stop = stop
        self._causes = Causes(bootstrap)

    def consumer(self) -> Consumer:
        """Return a consumer of assigned partitions."""
        options = {**_READS, **self._config}
        return clients.consumer(self._bootstrap, "streamlens-federated", _WAIT, options, self._causes)

    def follower(self) -> Follower:
        """Return what follows topics."""
        return Follower(self.consumer(), self._causes)

    def sender(self, waiting: Callable[[str], object] = lambda _: None) -> Sender:
        """Return what writes."""
        producer = clients.producer(self._bootstrap, "none", {**_WRITES, **self._config}, self._causes)
        return Sender(producer, self._causes, self._stop, waiting)

    def create(self, consumer: Consumer, *names: str, weights: bool = False) -> None:
        """Create topics of one partition unless they exist: all their messages stay, weights for a day.

        Where that is not allowed, the first message creates them. Raises StoppedError after `stop`.
        """
        for name in names:
            topic = Topic(
                name,
                KEPT_A_DAY if weights else KEPT,
                partial(clients.admin, self._bootstrap, self._config),
            )
            while not topic.prepare(consumer):
                _seldom.warning("create", self._causes.why() or f"topic {name}: Kafka does not answer")
                if self._stop.wait(_RETRY):
                    raise StoppedError


def _chunks(data: bytes) -> Iterator[bytes]:
    for start in range(0, max(1, len(data)), CHUNK):
        yield data[start : start + CHUNK]


def _note(found: list[KafkaError | int], error: KafkaError | None, message: Message) -> None:
    found.append(error if error is not None else message.offset() or 0)
