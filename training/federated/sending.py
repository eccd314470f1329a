"""Sends messages and bytes to a topic, and fetches bytes from one."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from pipeline.kafka.causes import Causes
from pipeline.service.logs import Seldom
from training.code.supervise import StoppedError
from training.data.ranges import Range

log = logging.getLogger(__name__)
_seldom: Final = Seldom(log)

CHUNK: Final = 900_000
"""Bytes of a message: brokers take one of a million by default."""

_WAIT: Final = 0.2  # s
_RETRY: Final = 1.0  # s
_PATIENCE: Final = 20.0  # s without a message of a set
_ATTEMPTS: Final = 10  # to write a set without other messages in between


class Sender:
    """Writes messages until Kafka has them; `waiting` learns what keeps it from that.

    All methods raise StoppedError after `stop`, and ValueError if Kafka will never take a message.
    """

    def __init__(
        self,
        producer: Producer,
        causes: Causes,
        stop: threading.Event,
        waiting: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._producer = producer
        self._causes = causes
        self._stop = stop
        self._waiting = waiting

    def send(self, topic: str, value: bytes, key: bytes | None) -> int:
        """Write a message to the first partition; return its offset."""
        while True:
            found = list[KafkaError | int]()
            try:
                self._producer.produce(topic, value, key, 0, on_delivery=partial(_note, found))
            except BufferError:
                pass
            except KafkaException as error:
                found.append(error.args[0])
            while not found and self._producer.flush(_WAIT) and not self._stop.is_set():
                pass
            answer = found[0] if found else None
            if isinstance(answer, int):
                return answer
            if answer is not None and answer.code() == KafkaError.MSG_SIZE_TOO_LARGE:
                raise ValueError(
                    f"topic {topic}: a message of {len(value)} bytes is larger than it accepts: raise its"
                    " max.message.bytes"
                )
            if answer is not None:
                why = self._causes.of(answer, topic, "write")
                _seldom.warning(topic, f"{why}: trying again")
                self._waiting(why)
            if self._stop.wait(_RETRY):
                raise StoppedError

    def send_bytes(self, topic: str, data: bytes) -> Range:
        """Write bytes as one message, or several; return where they are."""
        for _ in range(_ATTEMPTS):
            offsets = [
                self.send(topic, chunk, number.to_bytes(4)) for number, chunk in enumerate(_chunks(data))
            ]
            if offsets == [*range(offsets[0], offsets[0] + len(offsets))]:
                return Range(topic, 0, offsets[0], offsets[-1] + 1)
            log.warning("topic %s: others write to it, too; sending again", topic)
        raise ValueError(f"topic {topic}: others write to it all the time: allow WRITE to this user only")

    def close(self) -> None:
        """Send the rest, for a second at most."""
        self._producer.flush(1)


def fetch(consumer: Consumer, place: Range, size: int, stop: threading.Event) -> bytes:
    """Return the `size` bytes in a range of messages.

    Raises ValueError if there are fewer or more, or if nothing comes for twenty seconds; StoppedError after
    `stop`.
    """
    found, at, heard = bytearray(), place.start, time.monotonic()
    consumer.incremental_assign([TopicPartition(place.topic, place.partition, place.start)])
    try:
        while at < place.end:
            if stop.is_set():
                raise StoppedError
            message = consumer.poll(_WAIT)
            if message is None or message.error() is not None:
                if time.monotonic() - heard > _PATIENCE:
                    raise ValueError(f"the messages {place} cannot be read: they are missing, or deleted")
                continue
            at, heard = (message.offset() or 0) + 1, time.monotonic()
            if at <= place.end:
                found += message.value() or b""
            if len(found) > size:
                break
    finally:
        consumer.incremental_unassign([TopicPartition(place.topic, place.partition)])
    if len(found) != size:
        raise ValueError(f"the messages {place} have {len(found)} bytes or more: expected {size}")
    return bytes(found)


def _chunks(data: bytes) -> Iterator[bytes]:
    for start in range(0, max(1, len(data)), CHUNK):
        yield data[start : start + CHUNK]


def _note(found: list[KafkaError | int], error: KafkaError | None, message: Message) -> None:
    found.append(error if error is not None else message.offset() or 0)
