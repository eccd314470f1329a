"""Writes control messages: a stream is sent again without sending its data."""

import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from pipeline.kafka.causes import Causes

SETTINGS: Final = {"acks": "all", "message.timeout.ms": 4_000, "message.send.max.retries": 10}
"""Settings of the producer: unlike a frame, a control message is worth sending again."""

_LONGEST: Final = 5.0  # s
_ASK_EVERY: Final = 1.0  # s while Kafka is away


class PublishError(Exception):
    """A control message could not be written: why, in one line."""


class UnansweredError(PublishError):
    """Kafka does not answer: the same message may be written later."""


class ControlPublisher:
    """Writes to the control topic, and waits until Kafka has the message. `causes` are the producer's."""

    def __init__(self, producer: Producer, topic: str, causes: Causes) -> None:
        self._producer = producer
        self._topic = topic
        self._causes = causes
        self._ask_at = 0.0

    def publish(self, key: bytes, value: bytes) -> None:
        """Write a message; raise `PublishError` if Kafka does not take it. Any thread may call this."""
        stored = Future[None]()

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is None:
                stored.set_result(None)
            else:
                stored.set_exception(self._failure(error))

        try:
            self._producer.produce(self._topic, value, key, on_delivery=delivered)
        except BufferError:
            raise UnansweredError("too many messages wait for Kafka: try again later") from None
        except KafkaException as error:
            raise self._failure(error.args[0]) from None
        try:
            stored.result(_LONGEST)
        except FutureTimeout:
            raise UnansweredError(f"topic {self._topic}: Kafka does not answer") from None

    def _failure(self, error: KafkaError) -> PublishError:
        kind = PublishError if error.code() >= 0 else UnansweredError  # a broker's answer, or none
        return kind(self._causes.of(error, self._topic, "write"))

    def step(self) -> None:
        """Let librdkafka report what has become of messages: repeated by the service.

        A cause lasts until Kafka answers something, and there may be nothing to write: so this asks.
        """
        self._producer.poll(0.2)
        if self._causes.why() and time.monotonic() >= self._ask_at:
            self._ask_at = time.monotonic() + _ASK_EVERY
            with suppress(KafkaException):
                # All topics: asking for one that does not exist could create it, with other settings.
                self._producer.list_topics(timeout=0.5)
                self._causes.answered()

    def close(self) -> None:
        """Send the rest, for a second at most."""
        self._producer.flush(1)
