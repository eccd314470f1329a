"""A Kafka in this process: topics, and clients that answer at once."""

from collections import deque
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, Final

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    TIMESTAMP_CREATE_TIME,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from tests.clock import Clock

AWAY: Final = KafkaError(KafkaError._TRANSPORT)
MISSING: Final = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
DENIED: Final = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)


class FakePartition:
    """The messages from offset `low` on, before `end`; offsets may lack theirs, as after transactions."""

    def __init__(self) -> None:
        self.low = 0
        self.end = 0
        self.messages = dict[int, Message]()

    def at(self, offset: int) -> Message | None:
        """Return the message at an offset, or the next one; None if there is none."""
        return next((self.messages[each] for each in sorted(self.messages) if each >= offset), None)


class FakeKafka:
    """Topics. `troubles` are the errors of the next requests, before the answers; `errors` those of topics.

    `between` is called before each fetch of a consumer, and may add to its `events`. Only the time of `clock`
    passes while a client waits.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.topics = dict[str, list[FakePartition]]()
        self.troubles = deque[KafkaError]()
        self.errors = dict[str, KafkaError]()
        self.creates = True
        self.is_silent = False
        self.asked = list[tuple[str, int]]()  # where a partition begins and ends
        self.between: Callable[[FakeConsumer], object] = lambda _: None
        self.consumers = list[FakeConsumer]()
        self.producers = list[FakeProducer]()

    def add(self, topic: str, partitions: int = 1) -> str:
        """Create a topic."""
        self.topics[topic] = [FakePartition() for _ in range(partitions)]
        return topic

    def write(
        self, topic: str, value: bytes | None, key: bytes | None, partition: int = 0, sent: int = 1
    ) -> int:
        """Write a message, `sent` in ms since the epoch; return its offset."""
        found = self.topics[topic][partition]
        found.messages[found.end] = Message(
            topic=topic,
            partition=partition,
            offset=found.end,
            key=key,
            value=value,
            timestamp=(TIMESTAMP_CREATE_TIME, sent),
        )
        found.end += 1
        return found.end - 1

    def skip(self, topic: str, partition: int = 0) -> None:
        """Use an offset for something that is no message."""
        self.topics[topic][partition].end += 1

    def delete(self, topic: str, before: int, partition: int = 0) -> None:
        """Delete the messages before an offset."""
        found = self.topics[topic][partition]
        found.low = before
        found.messages = {at: message for at, message in found.messages.items() if at >= before}

    def consumer(self, *_: Any, **__: Any) -> "FakeConsumer":
        self.consumers.append(FakeConsumer(self))
        return self.consumers[-1]

    def producer(self, *_: Any, **__: Any) -> "FakeProducer":
        self.producers.append(FakeProducer(self))
        return self.producers[-1]

    def answer(self) -> None:
        """Raise the error of the next request, if it has one."""
        if self.troubles:
            raise KafkaException(self.troubles.popleft())

    def described(self, topic: str) -> SimpleNamespace:
        self.answer()
        partitions = self.topics.get(topic, [])
        error = self.errors.get(topic) or (None if partitions else MISSING)
        found = SimpleNamespace(error=error, partitions=dict.fromkeys(range(len(partitions))))
        return SimpleNamespace(topics={topic: found})


class FakeConsumer:
    """A consumer of assigned partitions."""

    def __init__(self, kafka: FakeKafka) -> None:
        self._kafka = kafka
        self._at = dict[tuple[str, int], int]()
        self._ended = set[tuple[str, int]]()
        self.events = deque[Message]()
        self.is_closed = False

    def list_topics(self, topic: str, timeout: float) -> SimpleNamespace:
        assert timeout > 0
        return self._kafka.described(topic)

    def get_watermark_offsets(self, place: TopicPartition, timeout: float) -> tuple[int, int]:
        assert timeout > 0
        self._kafka.answer()
        self._kafka.asked.append((place.topic, place.partition))
        found = self._kafka.topics[place.topic][place.partition]
        return found.low, found.end

    def offsets_for_times(self, places: Sequence[TopicPartition], timeout: float) -> list[TopicPartition]:
        assert timeout > 0
        self._kafka.answer()
        found = []
        for each in places:
            messages = self._kafka.topics[each.topic][each.partition].messages
            later = (at for at in sorted(messages) if messages[at].timestamp()[1] >= each.offset)
            found.append(TopicPartition(each.topic, each.partition, next(later, OFFSET_END)))
        return found

    def incremental_assign(self, places: Sequence[TopicPartition]) -> None:
        for each in places:
            place = each.topic, each.partition
            assert place not in self._at, f"{place} is assigned already"
            found = self._kafka.topics[each.topic][each.partition]
            named = {OFFSET_BEGINNING: found.low, OFFSET_END: found.end}
            self._at[place] = named.get(each.offset, each.offset)
            self._ended.discard(place)

    def incremental_unassign(self, places: Sequence[TopicPartition]) -> None:
        for each in places:
            del self._at[each.topic, each.partition]

    def poll(self, timeout: float) -> Message | None:
        found = self.consume(1, timeout)
        return found[0] if found else None

    def consume(self, most: int, timeout: float) -> list[Message]:
        assert most > 0
        assert timeout > 0
        self._kafka.between(self)
        found = list[Message]()
        while self.events and len(found) < most:
            found.append(self.events.popleft())
        for place in () if self._kafka.is_silent else [*self._at]:
            partition = self._kafka.topics[place[0]][place[1]]
            if self._at[place] < partition.low:  # deleted meanwhile: `auto.offset.reset` is `error`
                found.append(event(KafkaError._AUTO_OFFSET_RESET, *place))
                continue
            while len(found) < most and (message := partition.at(self._at[place])) is not None:
                found.append(message)
                self._at[place] = (message.offset() or 0) + 1
            if len(found) < most and place not in self._ended:
                self._ended.add(place)
                found.append(event(KafkaError._PARTITION_EOF, *place, partition.end))
        if not found:
            self._kafka.clock.sleep(timeout)
        return found

    def close(self) -> None:
        self.is_closed = True


class FakeProducer:
    """A producer. Kafka has its messages with the next polls, unless it `is_slow`, or the next flush.

    The next messages fail with the errors in `refuses`.
    """

    def __init__(self, kafka: FakeKafka) -> None:
        self._kafka = kafka
        self._waiting = list[tuple[str, bytes, bytes, int, Callable[[Any, Any], object]]]()
        self.refuses = deque[KafkaError]()
        self.is_full = 0
        self.is_slow = False
        self.stored = list[bytes]()
        self.headers = list[dict[str, bytes]]()
        self.is_purged = False

    def list_topics(self, topic: str, timeout: float) -> SimpleNamespace:
        assert timeout > 0
        if self._kafka.creates and topic not in self._kafka.topics and not self._kafka.errors:
            self._kafka.add(topic, 2)
            self._kafka.troubles.append(AWAY)  # a new topic has no leader at first
        return self._kafka.described(topic)

    def produce(
        self,
        topic: str,
        value: bytes,
        key: bytes,
        partition: int,
        *,
        headers: dict[str, bytes] | None = None,
        on_delivery: Callable[[Any, Any], object],
    ) -> None:
        self._kafka.answer()
        if self.is_full:
            self.is_full -= 1
            raise BufferError
        self.headers.append(headers or {})
        self._waiting.append((topic, value, key, partition, on_delivery))

    def poll(self, timeout: float) -> int:
        self._kafka.clock.sleep(timeout)
        return 0 if self.is_slow else self._deliver(1)

    def flush(self, timeout: float) -> int:
        self._kafka.clock.sleep(timeout)
        self._deliver(2)
        return len(self._waiting)

    def purge(self) -> None:
        self.is_purged = True
        self._waiting.clear()

    def _deliver(self, most: int) -> int:
        some, self._waiting = self._waiting[:most], self._waiting[most:]
        for topic, value, key, partition, delivered in some:
            if self.refuses:
                delivered(self.refuses.popleft(), None)
            else:
                offset = self._kafka.write(topic, value, key, partition)
                self.stored.append(value)
                delivered(None, Message(topic=topic, partition=partition, offset=offset))
        return len(some)


def event(code: int, topic: str, partition: int, offset: int = 0) -> Message:
    """Return an error that a consumer gets instead of a message."""
    return Message(topic=topic, partition=partition, offset=offset, error=KafkaError(code))
