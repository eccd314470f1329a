"""The topic with the logouts: it outlives the servers, and tells each of them about the others'."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer
from prometheus_client import Counter

from pipeline.kafka.causes import topic_cause
from pipeline.kafka.topics import Topic
from pipeline.kafka.whole_topic import WholeTopic
from pipeline.service.logs import Seldom
from video.access.logouts import Logout, Logouts

log = logging.getLogger(__name__)

COMPACTED: Final[Mapping[str, str]] = {
    "cleanup.policy": "compact",
    # Only closed segments are compacted, and by default one is closed after a week.
    "segment.ms": "3600000",
}
"""The topic's settings: nothing is deleted; servers replace records that are not needed by tombstones."""

_RETRY: Final = 3.0  # s
_PATIENCE: Final = 2.0  # s that a logout waits for Kafka
_MOST_UNSENT: Final = 10_000
_AHEAD: Final = 10.0  # s that clocks may differ
_BAD = Counter("streamlens_bad_logout_records", "Messages on the topic of logouts that are not ours")


@dataclass(slots=True)
class _Unsent:
    """A logout that Kafka does not have yet: when to send it (again), and what is done once it is there."""

    due: float = 0.0
    stored: Future[None] = field(default_factory=Future)


class LogoutTopic:
    """Reads the topic from its beginning, and writes the logouts made here until Kafka has them."""

    def __init__(self, consumer: Consumer, producer: Producer, topic: Topic, logouts: Logouts) -> None:
        self._producer = producer
        self._topic = topic
        self._logouts = logouts
        self._reader = WholeTopic(consumer, topic.name, self._take)
        self._is_read = False
        self._held: dict[bytes, Logout] = {}  # what the topic holds, until it has been read to its end
        self._needless: deque[bytes] = deque()  # keys of records that nobody needs
        self._unsent: dict[Logout, _Unsent] = {}
        self._seldom = Seldom(log)
        logouts.store = self.store

    def step(self) -> None:
        """Read what has come, waiting for it a fifth of a second at most, and send what is due."""
        if not (self._topic.is_there or self._topic.prepare(self._producer)):
            return
        self._reader.step()
        if not self._is_read and (self._reader.is_at_end or self._reader.is_missing):
            self._is_read = True
            self._learn()
            if not self._logouts.have_begun:
                self._put(self._logouts.begin())
        self._logouts.are_known |= self._reader.is_at_end and self._logouts.have_begun
        now = time.monotonic()
        for logout, unsent in self._unsent.copy().items():
            if unsent.due <= now:
                self._send(logout, unsent)
        self._remove()
        self._producer.poll(0)

    def unready(self) -> str | None:
        """Return why no login counts yet, in one line; None if logins count."""
        if self._logouts.are_known:
            return None
        return (
            self._topic.trouble or f"topic {self._topic.name}, which records logouts, has not been read yet"
        )

    async def store(self, logout: Logout, covered: Sequence[Logout]) -> None:
        """Write a logout; while Kafka does not take it, return after two seconds, and keep trying.

        Those that are covered by the record `before` their user are replaced by it.
        """
        if len(self._unsent) >= _MOST_UNSENT:
            self._seldom.warning(
                "full", f"{_MOST_UNSENT} logouts wait for Kafka: a further one is not stored"
            )
            return
        stored = self._put(logout)
        self._replace(covered)
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

    def _learn(self) -> None:
        """Take what the topic holds."""
        for logout in self._held.values():
            if not logout.id:
                self._add(logout)
        # Before any other is taken: what covers them now is on the topic.
        self._needless += [key for key, logout in self._held.items() if self._logouts.is_needless(logout)]
        for logout in self._held.values():
            if logout.id:
                self._replace(self._add(logout))
        self._held.clear()

    def _take(self, message: Message) -> None:
        key, value = message.key() or b"", message.value()
        if not self._logouts.owns(key):
            return
        if value is None:
            self._held.pop(key, None)
        elif (logout := self._logouts.decode(key, value)) is None:
            _BAD.inc()
            place = f"{self._topic.name}[{message.partition()}] at {message.offset()}"
            self._seldom.warning(
                "bad",
                f"message of {place} skipped: expected a logout, signed with the secret in the users file",
            )
        elif self._is_read:
            self._add(logout)
        else:
            self._held[key] = logout

    def _add(self, logout: Logout) -> list[Logout]:
        ahead = self._logouts.ahead(logout)
        if not logout.id and ahead > _AHEAD:
            self._seldom.warning(
                "ahead",
                f"no login of {logout.name or 'anybody'} counts for {ahead:.0f} s: a server whose clock was"
                f" ahead wrote to topic {self._topic.name}. Set the clocks of all servers; to end this now,"
                " stop them, delete the topic and start them again, which ends all sessions",
            )
        return self._logouts.add(logout)

    def _replace(self, covered: Sequence[Logout]) -> None:
        """Store what covers these logouts of a user, and then remove them."""
        if covered:
            keys = [self._logouts.key(each) for each in covered]
            stored = self._put(self._logouts.before(covered[0].name))
            stored.add_done_callback(lambda _: self._needless.extend(keys))

    def _remove(self) -> None:
        with suppress(BufferError, KafkaException):  # at the next step, or the next start
            while self._needless:
                self._producer.produce(self._topic.name, None, self._needless[0])
                self._needless.popleft()

    def _put(self, logout: Logout) -> Future[None]:
        """Send a logout until Kafka has it; return what is done then."""
        unsent = self._unsent.setdefault(logout, _Unsent())
        if self._topic.is_there:  # otherwise this would create it, with other settings
            self._send(logout, unsent)
        return unsent.stored

    def _send(self, logout: Logout, unsent: _Unsent) -> None:
        unsent.due = time.monotonic() + _RETRY

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                self._note(error)
            elif self._unsent.get(logout) is unsent:
                del self._unsent[logout]
                unsent.stored.set_result(None)

        with suppress(BufferError):
            self._producer.produce(
                self._topic.name,
                self._logouts.encode(logout),
                self._logouts.key(logout),
                on_delivery=delivered,
            )

    def _note(self, error: KafkaError) -> None:
        self._seldom.warning(
            error.name(), f"a logout was not stored: {topic_cause(error, self._topic.name, 'write')}"
        )
