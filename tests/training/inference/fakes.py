"""Stand-ins for what surrounds a replica: Kafka's clients, and the model."""

import threading
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from numpy.typing import NDArray

from pipeline.kafka.topics import Topic
from pipeline.service.workers import Pulse
from training.inference.model import RefusedError


class FakeMessage:
    """A message of the topic `in`."""

    def __init__(
        self,
        offset: int,
        value: bytes | None,
        key: bytes | None = None,
        headers: list[tuple[str, bytes]] | None = None,
        *,
        partition: int = 0,
        error: KafkaError | None = None,
    ) -> None:
        self._offset, self._value, self._key = offset, value, key
        self._headers, self._partition, self._error = headers, partition, error

    def __repr__(self) -> str:
        return f"{self._partition}:{self._offset}"

    def topic(self) -> str:
        return "in"

    def partition(self) -> int:
        return self._partition

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> list[tuple[str, bytes]] | None:
        return self._headers

    def timestamp(self) -> tuple[int, int]:
        return 1, 0

    def error(self) -> KafkaError | None:
        return self._error


def messages(*values: bytes | None, start: int = 0, partition: int = 0) -> list[Any]:
    """Return messages with these values, at the offsets from `start` on."""
    return [FakeMessage(start + at, value, partition=partition) for at, value in enumerate(values)]


def topic(least: int = 1) -> Topic:
    """Return the topic `in`, which can only be found."""

    def admin() -> Any:
        raise AssertionError("it must not be created")

    return Topic("in", {}, admin, least=least)


class FakeConsumer:
    """A consumer in a group, whose messages are in `coming`. A commit fails with the errors in `failures`.

    Kafka has the `topics`, each with so many partitions; it does not answer while this is None.
    """

    def __init__(self) -> None:
        self.topics: dict[str, int] | None = {"in": 2}
        self.coming = list[Any]()
        self.committed = dict[tuple[str, int], int]()
        self.failures = list[KafkaError]()
        self.on_poll: Callable[[], object] = lambda: None
        self.on_consume: Callable[[], object] = lambda: None
        self.subscribed = list[list[str]]()
        self.callbacks: dict[str, Callable[..., object]] = {}
        self.is_closed = False
        self.on_replace: Callable[[], object] = lambda: None

    def subscribe(self, topics: list[str], **callbacks: Callable[..., object]) -> None:
        self.subscribed.append(topics)
        self.callbacks = callbacks

    def assign(self, *partitions: int) -> None:
        self.callbacks["on_assign"](self, [TopicPartition("in", each) for each in partitions])

    def revoke(self, *partitions: int) -> None:
        self.callbacks["on_revoke"](self, [TopicPartition("in", each) for each in partitions])

    def list_topics(self, *, timeout: float) -> Any:
        assert timeout > 0
        if self.topics is None:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        found = {
            name: SimpleNamespace(partitions=dict.fromkeys(range(number)))
            for name, number in self.topics.items()
        }
        return SimpleNamespace(topics=found)

    def poll(self, _: float) -> Any:
        self.on_poll()
        return self.coming.pop(0) if self.coming else None

    def consume(self, most: int, timeout: float) -> list[Any]:
        assert timeout == 0
        self.on_consume()
        taken, self.coming = self.coming[:most], self.coming[most:]
        return taken

    def commit(self, offsets: list[TopicPartition], *, asynchronous: bool) -> list[TopicPartition]:
        assert not asynchronous
        if self.failures:
            raise KafkaException(self.failures.pop(0))
        for each in offsets:
            self.committed[each.topic, each.partition] = each.offset
        return offsets

    def position(self, places: list[TopicPartition]) -> list[TopicPartition]:
        return [TopicPartition(each.topic, each.partition, 5) for each in places]

    def get_watermark_offsets(self, place: TopicPartition, *, cached: bool) -> tuple[int, int]:
        assert cached
        return 0, 7 + place.partition

    def close(self) -> None:
        self.is_closed = True


class FakeProducer:
    """A producer. What is flushed, or polled if it `delivers`, is in `written`.

    The next messages have the fates in `fates`.
    """

    def __init__(self) -> None:
        self.written = list[tuple[bytes | None, Any, bytes]]()
        self.fates = list[KafkaError | None]()
        self.topic = "out"
        self.delivers = False
        self.is_full = False
        self.is_stuck = False
        self._queue = list[tuple[tuple[bytes | None, Any, bytes], Callable[..., object]]]()

    def produce(
        self, topic: str, value: bytes, key: bytes | None, *, headers: Any, on_delivery: Callable[..., object]
    ) -> None:
        assert topic == self.topic
        if self.is_full:
            raise BufferError
        self._queue.append(((key, headers, value), on_delivery))

    def poll(self, _: float) -> None:
        self.is_full = False
        if self.delivers:
            self.flush(0)

    def flush(self, _: float) -> int:
        if self.is_stuck:
            return len(self._queue)
        for record, note in self._queue:
            error = self.fates.pop(0) if self.fates else None
            if error is None:
                self.written.append(record)
            note(error, None)
        self._queue.clear()
        return 0

    def purge(self) -> None:
        self._queue.clear()


class FakeModel:
    """Returns the sum of each row, but raises the errors in `errors` first, and refuses rows with a 13."""

    def __init__(self) -> None:
        self.errors = list[Exception]()
        self.asked = list[int]()
        self.on_predict: Callable[[], object] = lambda: None
        self.why: str | None = None

    def run(self, pulse: Pulse) -> None:
        raise AssertionError(pulse)

    def unready(self) -> str | None:
        return self.why

    def predict(self, rows: NDArray[Any], values: Sequence[bytes]) -> NDArray[Any]:
        assert len(rows) == len(values)
        self.asked.append(len(rows))
        self.on_predict()
        if self.errors:
            raise self.errors.pop(0)
        if (rows == 13).any():
            raise RefusedError("13 is not for this model")
        sums: NDArray[Any] = rows.reshape(len(rows), -1).sum(1, dtype=np.float64)
        return sums

    def predict_both(self, rows: NDArray[Any], values: Sequence[bytes]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the rows for the upper model, and the sums."""
        sums = self.predict(rows, values)
        return rows.astype(np.float64), sums


class Stopping(threading.Event):
    """An event that is set once it was waited for so often."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._left = most

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002
        self._left -= 1
        if self._left <= 0:
            self.set()
        return self.is_set()
