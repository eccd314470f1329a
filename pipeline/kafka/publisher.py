"""Publishes frames to a topic; the newest wins when not all can be sent."""

import logging
import math
import time
from functools import partial
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Delivered

from pipeline.flow.ledger import Ledger
from pipeline.service.logs import Seldom
from pipeline.wire.frame import Message, age_of

log = logging.getLogger(__name__)

_IDLE: Final = 5.0  # s without a word of any frame


class Publisher:
    """Hands messages to librdkafka without waiting, and counts what became of their frames."""

    def __init__(self, producer: Producer, topic: str, ledger: Ledger) -> None:
        self._producer = producer
        self._topic = topic
        self._ledger = ledger
        self._seldom = Seldom(log)
        self._reached = False
        self._trouble: str | None = None
        self._told = -math.inf  # when it was last heard what became of a frame

    def unready(self) -> str | None:
        """Return why frames do not reach the topic, in one line, or None.

        Who publishes nothing can only ask, which may take half a second; it does until the topic is reached.
        """
        if (self._trouble or not self._reached) and time.monotonic() - self._told > _IDLE:
            self._trouble = self._missing()
            self._reached = not self._trouble
        return self._trouble

    def publish(self, message: Message, *, camera: str, captured: int) -> None:
        """Send a frame captured at `captured` (ns); what waits in a full queue is older and makes room."""
        try:
            try:
                self._produce(message, camera, captured)
            except BufferError:
                self._producer.purge(in_flight=False)
                self._producer.poll(0)
                self._produce(message, camera, captured)
        except BufferError:  # all that fills the queue is on its way already
            self._drop(camera, "queue_full", "the queue to Kafka is full")
        except KafkaException as error:
            self._drop(camera, error.args[0].name().lower(), str(error.args[0].str()))
        self._producer.poll(0)

    def poll(self) -> None:
        """Let librdkafka report what became of earlier frames."""
        self._producer.poll(0)

    def close(self) -> None:
        """Send what still waits, for two seconds at most; count the rest as dropped."""
        if self._producer.flush(2):
            self._producer.purge()
            self._producer.flush(1)

    def _missing(self) -> str | None:
        try:
            error = self._producer.list_topics(self._topic, timeout=0.5).topics[self._topic].error
        except KafkaException as failure:
            error = failure.args[0]
        return f"topic {self._topic} is not reached: {error.str()}" if error else None

    def _produce(self, message: Message, camera: str, captured: int) -> None:
        self._producer.produce(
            self._topic,
            key=message.key,
            value=message.value,
            headers=list(message.headers),
            on_delivery=partial(self._delivered, camera, age_of(captured)),
        )

    def _delivered(self, camera: str, age: float, error: KafkaError | None, _: Delivered) -> None:
        if error is None:
            self._told = time.monotonic()
            self._reached, self._trouble = True, None
            self._ledger.went(camera, age)
        elif error.code() == KafkaError._PURGE_QUEUE:
            self._drop(camera, "replaced", "Kafka does not keep up")
        else:
            self._drop(camera, "not_delivered", error.str())

    def _drop(self, camera: str, reason: str, text: str) -> None:
        self._ledger.dropped(camera, reason)
        self._told = time.monotonic()
        self._trouble = f"the last frame did not reach topic {self._topic}: {text}"
        self._seldom.warning(reason, f"a frame of {camera} was not published ({reason}): {text}")
