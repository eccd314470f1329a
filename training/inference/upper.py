"""Early exits: what a part of a chain answers itself, and what goes to the model above it."""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from numpy.typing import NDArray

from pipeline.kafka.causes import Causes
from pipeline.service.logs import Seldom
from training.inference.answers import Answer, answers
from training.inference.sink import REFUSALS

log = logging.getLogger(__name__)

_PAUSE: Final = 0.5  # s before messages that the upper Kafka has not taken are sent again
_PATIENCE: Final = 2.0  # s after which messages leave, where they do not wait
_AWAY: Final = 5.0  # s after a failure in which others leave at once
_GIVEN_UP: Final = 30.0  # s after which librdkafka gives up on messages that wait

_CONFIG: Final = {
    "acks": "all",
    "enable.idempotence": True,
    "message.send.max.retries": 2**31 - 1,
    # Each message goes at once: the link takes longer than it would wait for others.
    "linger.ms": 0,
}


def config(*, leaves: bool) -> dict[str, Any]:
    """Return librdkafka's settings for `Upper`."""
    return {**_CONFIG, "message.timeout.ms": int((_PATIENCE if leaves else _GIVEN_UP) * 1000)}


@dataclass(frozen=True, slots=True)
class Unsure:
    """A message that goes up: the bytes of output 0, and this part's own answer, for when it must leave."""

    value: bytes
    own: Answer

    @property
    def question(self) -> Message:
        """The message that it comes from."""
        return self.own.question


class Sending:
    """Messages on their way up. `leaving` are the answers to those that do not arrive."""

    def __init__(self, messages: Sequence[Unsure]) -> None:
        self.left = dict(enumerate(messages))
        self.failed = list[tuple[Unsure, KafkaError]]()
        self.again = list[Unsure]()
        self.leaving = list[Answer]()
        self.sent = 0
        self.until = time.monotonic() + 2 * _GIVEN_UP

    def note(self, number: int, error: KafkaError | None, _: object = None) -> None:
        """Take the fate of a message: librdkafka's `on_delivery`."""
        message = self.left.pop(number, None)
        if message is None:
            return
        if error is None:
            self.sent += 1
        else:
            self.failed.append((message, error))


class Upper:
    """The input topic of the upper model, for one thread; it may be far away, so nothing waits for it here.

    Answers whose largest number is at least `limit` do not go there. While Kafka is away, messages wait, or
    if it `leaves`, get this part's own answer. `causes` are those of `producer`.
    """

    def __init__(
        self,
        producer: Producer,
        topic: str,
        causes: Causes,
        *,
        limit: float,
        leaves: bool,
        pause: float = _PAUSE,
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._causes = causes
        self._limit = limit
        self._leaves = leaves
        self._pause = pause
        self._seldom = Seldom(log)
        self._trouble: str | None = None
        self._again_at = 0.0
        self._back_at = 0.0

    def unready(self) -> str | None:
        """Return why messages that wait cannot go up, in one line, or None."""
        return None if self._leaves else self._causes.why() or self._trouble

    def parted(
        self, messages: Sequence[Message], own: NDArray[Any], upper: NDArray[Any]
    ) -> Iterator[Answer | Unsure]:
        """Yield the answer to each message, or what goes up instead, given both outputs, shape (n, …)."""
        is_sure = own.reshape(len(own), -1).max(1) >= self._limit
        rows = np.ascontiguousarray(upper, "<f4")
        for answer, sure, row in zip(answers(messages, own), is_sure, rows, strict=True):
            yield answer if sure else Unsure(row.tobytes(), answer)

    def send(self, messages: Sequence[Unsure]) -> Sending:
        """Send messages, whose fate `is_settled` finds out later."""
        sending = Sending(messages)
        if self._leaves and time.monotonic() < self._back_at:
            sending.leaving = [each.own for each in messages]
            sending.left.clear()
        else:
            self._produce(sending, range(len(messages)))
        return sending

    def is_settled(self, sending: Sending) -> bool:
        """Return whether the upper Kafka has all messages, but those whose answers leave."""
        self.poll()
        now = time.monotonic()
        if sending.left and now > sending.until:  # the producer was replaced, and took them along
            for number in [*sending.left]:
                sending.note(number, KafkaError(KafkaError._MSG_TIMED_OUT))
        failed, sending.failed = sending.failed, []
        for message, error in failed:
            self._take_failure(sending, message, error)
        if sending.again and now >= self._again_at:
            self._again_at, sending.until = now + self._pause, now + 2 * _GIVEN_UP
            again, sending.again = sending.again, []
            start = max(sending.left, default=-1) + 1
            sending.left |= dict(enumerate(again, start))
            self._produce(sending, range(start, start + len(again)))
        is_done = not (sending.left or sending.again or sending.failed)
        if is_done and sending.sent:
            self._trouble = None
            self._causes.answered()
        return is_done

    def poll(self) -> None:
        """Let librdkafka report what keeps it from the upper Kafka, and the fates of messages."""
        self._producer.poll(0)

    def close(self) -> None:
        """Drop what still waits."""
        self._producer.purge()
        self._producer.flush(1)

    def _take_failure(self, sending: Sending, message: Unsure, error: KafkaError) -> None:
        self._trouble = self._causes.of(error, self._topic, "write")
        if error.code() in REFUSALS:
            sending.leaving.append(message.own)  # Kafka will never take it
        elif self._leaves:
            sending.leaving.append(message.own)
            self._back_at = time.monotonic() + _AWAY
        else:
            sending.again.append(message)
        fate = "wait" if sending.again else "leave with this model's answer"
        self._seldom.warning("up", f"messages for the upper model {fate}: {self._trouble}")

    def _produce(self, sending: Sending, numbers: Sequence[int]) -> None:
        for number in numbers:
            message = sending.left[number]
            try:
                self._producer.produce(
                    self._topic,
                    message.value,
                    message.own.key,
                    headers=message.own.headers,  # type: ignore[arg-type]
                    on_delivery=partial(sending.note, number),  # type: ignore[arg-type]
                )
            except BufferError:
                sending.note(number, KafkaError(KafkaError._QUEUE_FULL))
            except KafkaException as error:
                sending.note(number, error.args[0])
