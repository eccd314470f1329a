"""The topic with the logouts: it outlives the servers, and tells each of them about the others'."""

import asyncio
import logging
import time
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer
from prometheus_client import Counter

from pipeline.kafka.causes import topic_cause
from pipeline.kafka.topics import Topic
from pipeline.kafka.whole_topic import WholeTopic
from pipeline.service.logs import Seldom
from video.access.logouts import Logout, Logouts

log = logging.getLogger(__name__)

COMPACTED: Final[Mapping[str, str]] = {"cleanup.policy": "compact"}
"""The topic's settings: nothing is deleted; servers replace outdated records by tombstones."""

_RETRY: Final = 3.0  # s
_PATIENCE: Final = 2.0  # s that a logout waits for Kafka
_MOST_UNSENT: Final = 10_000
_BAD = Counter("streamlens_bad_logout_records", "Messages on the topic of logouts that are not ours")


class LogoutTopic:
    """Reads the topic from its beginning, and writes the logouts made here until Kafka has them."""

    def __init__(self, consumer: Consumer, producer: Producer, topic: Topic, logouts: Logouts) -> None:
        self._producer = producer
        self._topic = topic
        self._logouts = logouts
        self._reader = WholeTopic(consumer, topic.name, self._take)
        self._first: Logout | None = None
        self._unsent: dict[Logout, float] = {}  # and when to send it again
        self._seldom = Seldom(log)
        logouts.store = self.store

    def step(self) -> None:
        """Read what has come, waiting for it a fifth of a second at most, and send what is due."""
        if not (self._topic.is_there or self._topic.prepare(self._producer)):
            return
        self._reader.step()
        is_empty = not self._logouts.have_begun and (self._reader.is_at_end or self._reader.is_missing)
        if is_empty and self._first is None:
            self._first = self._logouts.begin()
            self._unsent[self._first] = 0.0
        self._logouts.are_known |= self._reader.is_at_end and self._logouts.have_begun
        now = time.monotonic()
        for logout in [each for each, due in self._unsent.copy().items() if due <= now]:
            self._send(logout)
        self._producer.poll(0)

    def unready(self) -> str | None:
        """Return why no login counts yet, in one line; None if logins count."""
        if self._logouts.are_known:
            return None
        return (
            self._topic.trouble or f"topic {self._topic.name}, which records logouts, has not been read yet"
        )

    async def store(self, logout: Logout) -> None:
        """Write a logout; while Kafka does not take it, return after two seconds, and keep trying."""
        if len(self._unsent) >= _MOST_UNSENT:
            self._seldom.warning(
                "full", f"{_MOST_UNSENT} logouts wait for Kafka: a further one is not stored"
            )
            return
        stored = Future[None]()
        self._send(logout, stored)
        await asyncio.wait({asyncio.wrap_future(stored)}, timeout=_PATIENCE)
        if not stored.done():
            self._seldom.warning(
                "unsent", "a logout waits for Kafka: until then, only this server knows about it"
            )

    def close(self) -> None:
        """Send the rest, which takes half a second at most, and stop reading."""
        self._producer.flush(0.5)
        if self._unsent:
            log.error(
                "%d logouts could not be stored, and are forgotten with the next start", len(self._unsent)
            )
        self._reader.close()

    def _send(self, logout: Logout, stored: Future[None] | None = None) -> None:
        self._unsent[logout] = time.monotonic() + _RETRY

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                self._note(error)
                return
            self._unsent.pop(logout, None)
            if stored is not None:
                stored.set_result(None)

        key, value = self._logouts.encode(logout)
        with suppress(BufferError):
            self._producer.produce(self._topic.name, value, key, on_delivery=delivered)

    def _note(self, error: KafkaError) -> None:
        self._seldom.warning(
            error.name(), f"a logout was not stored: {topic_cause(error, self._topic.name, 'write')}"
        )

    def _take(self, message: Message) -> None:
        value = message.value()
        if value is None:
            return
        logout = self._logouts.decode(value)
        if logout is None:
            _BAD.inc()
            place = f"{self._topic.name}[{message.partition()}] at {message.offset()}"
            self._seldom.warning(
                "bad",
                f"message of {place} skipped: expected a logout, signed with the secret in the users file",
            )
        elif self._logouts.is_outdated(logout):
            with suppress(BufferError, KafkaException):  # it can be removed at the next start, too
                self._producer.produce(self._topic.name, None, message.key())
        else:
            self._logouts.add(logout)
