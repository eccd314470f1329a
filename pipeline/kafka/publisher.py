"""Publishes frames to a topic; when not all can be sent, the newest ones win."""

import logging
import math
import time
from functools import partial
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Delivered

from pipeline.flow.ledger import Ledger
from pipeline.kafka.causes import Causes
from pipeline.service.logs import Seldom
from pipeline.service.workers import Pulse
from pipeline.wire.frame import Message, age_of

log = logging.getLogger(__name__)

_IDLE: Final = 5.0  # s without news of any frame
_PROBE_EVERY: Final = 1.0  # s


class Publisher:
    """Hands messages to librdkafka without waiting, and counts what became of their frames.

    `causes` are those of `producer`.
    """

    def __init__(self, producer: Producer, topic: str, ledger: Ledger, causes: Causes | None = None) -> None:
        self._producer = producer
        self._topic = topic
        self._ledger = ledger
        self._causes = causes or Causes("")
        self._seldom = Seldom(log)
        self._trouble: str | None = f"topic {topic} has not been reached yet"
        self._missing: str | None = None  # what a probe found; frames for a missing topic only time out
        self._news = -math.inf  # when the fate of a frame was last reported

    def unready(self) -> str | None:
        """Return why frames do not reach the topic, in one line, or None."""
        return self._trouble

    def watch(self, pulse: Pulse) -> None:
        """Find out whether the topic can be reached for as long as no frame shows it: a worker."""
        while not pulse.stopping.is_set():
            self.probe()
            pulse.beat()
            pulse.stopping.wait(_PROBE_EVERY)

    def probe(self) -> None:
        """Ask for the topic, which may take half a second, if it is not reached."""
        if not self._trouble:
            self._missing = None
            return
        news = self._news
        error = self._causes.ask(self._producer, self._topic)
        trouble = self._causes.of(error, self._topic, "write") if error else None
        self._missing = trouble if error and error.code() >= 0 else None
        # While frames are published, their fate shows whether the topic is reached.
        if news == self._news and time.monotonic() - news > _IDLE:
            self._trouble = trouble
        self._producer.poll(0)

    def publish(self, message: Message, *, camera: str, captured: int) -> None:
        """Send a frame captured at `captured` (ns); older ones that wait in a full queue make room."""
        try:
            try:
                self._produce(message, camera, captured)
            except BufferError:
                self._producer.purge(in_flight=False)
                self._producer.poll(0)
                self._produce(message, camera, captured)
        except BufferError:  # everything in the queue is on its way already
            self._drop(camera, "queue_full", self._slow())
        except KafkaException as error:
            # librdkafka's own errors have names that begin with an underscore.
            self._drop(camera, error.args[0].name().lower().lstrip("_"), self._why(error.args[0]))
        self._producer.poll(0)

    def poll(self) -> None:
        """Let librdkafka report the fate of earlier frames."""
        self._producer.poll(0)

    def close(self) -> None:
        """Send what still waits, for two seconds at most; count the rest as dropped."""
        if self._producer.flush(2):
            self._producer.purge()
            self._producer.flush(1)

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
            self._news = time.monotonic()
            self._trouble = None
            self._ledger.went(camera, age)
        elif error.code() == KafkaError._PURGE_QUEUE:
            self._drop(camera, "replaced", self._slow())
        else:
            self._drop(camera, "not_delivered", self._why(error))

    def _why(self, error: KafkaError) -> str:
        if error.code() < 0 and self._missing:
            return self._missing
        return self._causes.of(error, self._topic, "write")

    def _slow(self) -> str:
        return self._missing or self._causes.why() or "Kafka cannot keep up"

    def _drop(self, camera: str, reason: str, text: str) -> None:
        self._ledger.dropped(camera, reason)
        self._news = time.monotonic()
        self._trouble = text
        self._seldom.warning(reason, f"a frame of {camera} was not published ({reason}): {text}")
