"""The output topic: answers are there before their questions count as done."""

import logging
import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Producer

from pipeline.kafka.causes import Causes
from pipeline.service.logs import Seldom
from training.code.supervise import StoppedError
from training.inference.answers import Answer

log = logging.getLogger(__name__)

_PAUSE: Final = 0.5  # s before answers that Kafka has not taken are sent again
_GRACE: Final = 3.0  # s for answers on their way when the service stops
_GIVEN_UP: Final = 30.0  # s after which librdkafka gives up
REFUSALS: Final = frozenset(
    {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD, KafkaError.INVALID_MSG}
)
"""Kafka will never take such an answer."""

CONFIG: Final = {
    "acks": "all",
    "enable.idempotence": True,
    "message.send.max.retries": 2**31 - 1,
    "message.timeout.ms": int(_GIVEN_UP * 1000),
    # Flushing, which ends this wait, sends all answers together.
    "linger.ms": 50,
}
"""librdkafka's settings for `Sink`."""


class Sink:
    """Writes answers to a topic, for one thread. `causes` are those of `producer`."""

    def __init__(
        self, producer: Producer, topic: str, causes: Causes, stopping: threading.Event, pause: float = _PAUSE
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._causes = causes
        self._seldom = Seldom(log)
        self._stopping = stopping
        self._pause = pause
        self._trouble: str | None = None

    def unready(self) -> str | None:
        """Return why answers cannot be written, in one line, or None."""
        return self._causes.why() or self._trouble

    def deliver(self, answers: Sequence[Answer]) -> list[tuple[Answer, str]]:
        """Return when Kafka has all answers, except those that it will never take, with the reasons.

        While Kafka is away, this waits. Raises StoppedError when the service stops meanwhile: then some may
        be missing.
        """
        refused = list[tuple[Answer, str]]()
        waiting = list(answers)
        while waiting:
            failed = self._sent(waiting)
            waiting = []
            for answer, error in failed:
                if error.code() in REFUSALS:
                    refused.append((answer, error.str()))
                else:
                    waiting.append(answer)
                    self._trouble = self._causes.of(error, self._topic, "write")
            if waiting:
                self._seldom.warning("write", f"answers are not written: {self._trouble}")
                if self._stopping.wait(self._pause):
                    raise StoppedError
        self._trouble = None
        return refused

    def poll(self) -> None:
        """Let librdkafka report what keeps it from Kafka."""
        self._producer.poll(0)

    def close(self) -> None:
        """Drop what still waits."""
        self._producer.purge()
        self._producer.flush(1)

    def _sent(self, answers: Sequence[Answer]) -> list[tuple[Answer, KafkaError]]:
        """Send answers, and wait for their fate; return those that have failed."""
        left = set(range(len(answers)))
        failed = list[tuple[Answer, KafkaError]]()

        def note(number: int, error: KafkaError | None, _: object) -> None:
            if number in left:
                left.discard(number)
                if error is not None:
                    failed.append((answers[number], error))

        for number, answer in enumerate(answers):
            try:
                self._produce(answer, partial(note, number))
            except KafkaException as error:
                note(number, error.args[0], None)
        until, stops_at = time.monotonic() + 2 * _GIVEN_UP, 0.0
        while left:
            self._producer.flush(0.1)
            now = time.monotonic()
            if self._stopping.is_set():
                stops_at = stops_at or now + _GRACE
                if left and now > stops_at:
                    raise StoppedError
            if now > until:  # the producer was replaced, and took them along
                lost = KafkaError(KafkaError._MSG_TIMED_OUT)
                failed += [(answers[number], lost) for number in left]
                left.clear()
        return failed

    def _produce(self, answer: Answer, note: object) -> None:
        while True:
            try:
                self._producer.produce(
                    self._topic,
                    answer.value,
                    answer.key,
                    headers=answer.headers,  # type: ignore[arg-type]
                    on_delivery=note,  # type: ignore[arg-type]
                )
            except BufferError:
                self._producer.poll(0.1)
                if self._stopping.is_set():
                    raise StoppedError from None
            else:
                return
