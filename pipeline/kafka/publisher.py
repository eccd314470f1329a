"""Publishes frames to a topic; when not all can be sent, the newest ones win."""

import logging
import math
import time
from functools import partial
from typing import Any, Final

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
_MISSING: Final = 60.0  # s for which a partition that was missing is not tried


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
        self._missing_from, self._missing_until = 0, -math.inf  # partitions that the topic does not have
        self._cameras: set[str] = set()  # that were not forgotten
        self._refused: dict[str, str] = {}  # those whose last frame was too large, and why
        self._accepted = -math.inf  # when a frame of any camera was last delivered

    def unready(self) -> str | None:
        """Return why no frames reach the topic, in one line, or None."""
        if self._refused and not self._trouble and time.monotonic() - self._accepted > _IDLE:
            return next(iter(self._refused.copy().values()), None)
        return self._trouble

    def refusal(self, camera: str) -> str | None:
        """Return why the topic does not take the frames of a camera, although it may take others; or None."""
        return self._refused.get(camera)

    def refusals(self) -> list[str]:
        """Return a line for each such camera; from any thread."""
        return [f"camera {camera}: {why}" for camera, why in sorted(self._refused.copy().items())]

    def forget(self, camera: str) -> None:
        """Forget what is known about a camera; frames of it may still be on their way."""
        self._cameras.discard(camera)
        self._refused.pop(camera, None)

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

    def publish(self, message: Message, *, camera: str, captured: int, partition: int | None = None) -> None:
        """Send a frame captured at `captured` (ns); older ones that wait in a full queue make room.

        It goes to `partition` if the topic has that, and otherwise where Kafka's hash of its key says.
        """
        self._cameras.add(camera)
        try:
            try:
                self._produce(message, camera, captured, partition)
            except BufferError:
                self._producer.purge(in_flight=False)
                self._producer.poll(0)
                self._produce(message, camera, captured, partition)
        except BufferError:  # everything in the queue is on its way already
            self._drop(camera, "queue_full", self._slow())
        except KafkaException as error:
            # librdkafka's own errors have names that begin with an underscore.
            reason, why = error.args[0].name().lower().lstrip("_"), self._why(error.args[0])
            if error.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE:
                self._refuse(camera, reason, why)
            else:
                self._drop(camera, reason, why)
        self._producer.poll(0)

    def poll(self) -> None:
        """Let librdkafka report the fate of earlier frames."""
        self._producer.poll(0)

    def close(self) -> None:
        """Send what still waits, for two seconds at most; count the rest as dropped."""
        if self._producer.flush(2):
            self._producer.purge()
            self._producer.flush(1)

    def _has(self, partition: int) -> bool:
        """Return whether the topic has a partition, as far as is known."""
        return partition < self._missing_from or time.monotonic() >= self._missing_until

    def _produce(self, message: Message, camera: str, captured: int, partition: int | None) -> None:
        place: dict[str, Any] = {}
        if partition is not None and self._has(partition):
            place = {"partition": partition}
        try:
            self._producer.produce(
                self._topic,
                key=message.key,
                value=message.value,
                headers=list(message.headers),
                on_delivery=partial(self._delivered, camera, age_of(captured), message.number),
                **place,
            )
        except KafkaException as error:
            if not place or error.args[0].code() != KafkaError._UNKNOWN_PARTITION:
                raise
            self._lacks(place["partition"], camera)
            self._produce(message, camera, captured, None)

    def _lacks(self, partition: int, camera: str) -> None:
        if self._has(partition):
            self._missing_from, self._missing_until = partition, time.monotonic() + _MISSING
        self._seldom.warning(
            "partition",
            f"topic {self._topic} has no partition {partition}, which the record of camera {camera} names:"
            " Kafka's hash of the name chooses one",
        )

    def _delivered(
        self, camera: str, age: float, number: tuple[str, int], error: KafkaError | None, sent: Delivered
    ) -> None:
        if error is None:
            self._news = self._accepted = time.monotonic()
            self._trouble = None
            self._refused.pop(camera, None)
            self._ledger.went(camera, age, *number)
        elif error.code() == KafkaError._PURGE_QUEUE:
            self._drop(camera, "replaced", self._slow())
        elif error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            self._trouble = None  # the topic is there
            self._refuse(camera, "not_delivered", self._why(error))
        else:
            if error.code() == KafkaError._UNKNOWN_PARTITION:
                self._lacks(sent.partition() or 0, camera)
            self._drop(camera, "not_delivered", self._why(error))

    def _why(self, error: KafkaError) -> str:
        if error.code() < 0 and self._missing:
            return self._missing
        return self._causes.of(error, self._topic, "write")

    def _slow(self) -> str:
        return self._missing or self._causes.why() or "Kafka cannot keep up"

    def _refuse(self, camera: str, reason: str, why: str) -> None:
        """Drop a frame for what is wrong with it, not with the topic."""
        if camera in self._cameras:
            self._refused[camera] = why
        self._count(camera, reason, why)

    def _drop(self, camera: str, reason: str, text: str) -> None:
        self._trouble = text
        self._count(camera, reason, text)

    def _count(self, camera: str, reason: str, text: str) -> None:
        self._ledger.dropped(camera, reason)
        self._news = time.monotonic()
        self._seldom.warning(reason, f"a frame of {camera} was not published ({reason}): {text}")
