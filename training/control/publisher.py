"""Writes control messages: a stream is sent again without sending its data."""

import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from pipeline.kafka.causes import Causes

SETTINGS: Final = {"acks": "all", "message.timeout.ms": 8_000, "message.send.max.retries": 10}
"""Settings of the producer: unlike a frame, a control message is worth sending again."""

_LONGEST: Final = 10.0  # s
_ASK_EVERY: Final = 1.0  # s while Kafka is away


class PublishError(Exception):
    """A control message could not be written: why, in one line."""


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
                stored.set_exception(PublishError(self._causes.of(error, self._topic, "write")))

        try:
            self._producer.produce(self._topic, value, key, on_delivery=delivered)
        except BufferError:
            raise PublishError("too many messages wait for Kafka: try again later") from None
        except KafkaException as error:
            raise PublishError(self._causes.of(error.args[0], self._topic, "write")) from None
        try:
            stored.result(_LONGEST)
        except FutureTimeout:
            raise PublishError(f"topic {self._topic}: Kafka does not answer") from None

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
