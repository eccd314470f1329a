"""Writes messages to a topic evenly over its partitions, and returns the ranges that they are in."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from pipeline.kafka import clients
from pipeline.kafka.causes import Causes, topic_cause
from training.data.ranges import Range

_PATIENCE: Final = 30.0  # s for Kafka to create a topic, and to say where it ends
_REPORT_EVERY: Final = 0.5  # s
_CONFIG: Final = {
    "acks": "all",
    "enable.idempotence": True,
    "message.send.max.retries": 2**31 - 1,
    "message.timeout.ms": 60_000,
    "linger.ms": 20,
}

_Answer = TypeVar("_Answer")
Progress = Callable[[int, int], object]
Headers = dict[str, str | bytes | None]


def quiet(_: int, __: int) -> None:
    """Report no progress."""


class SendError(Exception):
    """Kafka has not taken a message: one line says why."""


class Writer:
    """Writes to a topic, which Kafka creates if it is missing and it may; nothing is lost or written twice.

    `progress` is called twice a second with the numbers of messages that Kafka has and that were written.
    Raises `SendError` if Kafka does not answer.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        config: Mapping[str, Any] | None = None,
        progress: Progress = quiet,
    ) -> None:
        self.topic = topic
        self._causes = Causes(bootstrap)
        self._producer = clients.producer(
            bootstrap, "none", {**_CONFIG, **(config or {})}, self._causes, most_messages=100_000
        )
        options = {**(config or {}), "allow.auto.create.topics": False}
        self._asker = clients.consumer(bootstrap, "streamlens-sink", 0.1, options)
        self._progress = progress
        self._reported = time.monotonic()
        self._written = self._stored = 0
        self._trouble: str | None = None
        self._until = time.monotonic() + _PATIENCE
        self._partitions = self._found()
        self._starts = self._ends()

    def write(self, value: bytes, key: bytes, headers: Headers | None = None) -> None:
        """Write a message to the next partition; wait while too many are on their way to Kafka."""
        partition = self._partitions[self._written % len(self._partitions)]
        while True:
            self._check()
            try:
                self._producer.produce(
                    self.topic,
                    value,
                    key,
                    partition,
                    headers=headers or {},
                    on_delivery=self._delivered,
                )
                break
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as error:
                raise SendError(
                    self._too_large(error.args[0]) or topic_cause(error.args[0], self.topic, "write")
                ) from None
        self._written += 1
        self._producer.poll(0)
        self._report()

    def finish(self) -> tuple[Range, ...]:
        """Wait until Kafka has everything; return what was added to the topic meanwhile, by anyone.

        There is a range for each partition, even if it is empty. Raises `SendError` if a message was lost.
        """
        while self._producer.flush(0.2):
            self._report()
            self._check()
        self._check()
        if self._stored < self._written:
            raise SendError(f"topic {self.topic}: Kafka has {self._stored} of {self._written} messages")
        self._progress(self._stored, self._written)
        self._until = time.monotonic() + _PATIENCE
        ends = self._ends()
        return tuple(Range(self.topic, each, self._starts[each], ends[each]) for each in self._partitions)

    def close(self) -> None:
        """End; what is not stored yet is dropped."""
        self._producer.purge()
        self._producer.flush(1)
        self._asker.close()

    def _found(self) -> list[int]:
        """Return the numbers of the topic's partitions; asking for it creates it."""

        def ask() -> list[int]:
            found = self._producer.list_topics(self.topic, timeout=2).topics[self.topic]
            if found.error is not None:
                raise KafkaException(found.error)
            return sorted(found.partitions)

        return self._answer(ask)

    def _ends(self) -> dict[int, int]:
        """Return the offset that Kafka writes next in each partition."""
        places = [TopicPartition(self.topic, each) for each in self._partitions]
        return {each.partition: self._answer(partial(_end, self._asker, each)) for each in places}

    def _answer(self, question: Callable[[], _Answer]) -> _Answer:
        """Return the answer to a question, which Kafka may not have at once about a topic just created."""
        while True:
            try:
                return question()
            except KafkaException as error:
                is_final = error.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
                if is_final or time.monotonic() > self._until:
                    raise SendError(self._cause(error.args[0])) from None
            self._producer.poll(0.1)

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        if error is None:
            self._stored += 1
        elif self._trouble is None:
            self._trouble = self._cause(error)

    def _cause(self, error: KafkaError) -> str:
        return self._too_large(error) or self._causes.of(error, self.topic, "write")

    def _too_large(self, error: KafkaError) -> str | None:
        if error.code() != KafkaError.MSG_SIZE_TOO_LARGE:
            return None
        return (
            f"a message is larger than topic {self.topic} accepts: raise its max.message.bytes (or"
            " message.max.bytes of the brokers), or send smaller samples"
        )

    def _check(self) -> None:
        if self._trouble is not None:
            raise SendError(self._trouble)

    def _report(self) -> None:
        now = time.monotonic()
        if now - self._reported > _REPORT_EVERY:
            self._reported = now
            self._progress(self._stored, self._written)


def _end(asker: Consumer, place: TopicPartition) -> int:
    return int(asker.get_watermark_offsets(place, timeout=2)[1])
