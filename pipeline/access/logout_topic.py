"""The topic with the logouts: it outlives the servers, and tells each of them about the others'."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Final

from confluent_kafka import Consumer, Message, Producer
from prometheus_client import Counter

from pipeline.access.logouts import Logout, Logouts
from pipeline.kafka.records import FullError, Records
from pipeline.kafka.topics import Topic
from pipeline.service.logs import Seldom

log = logging.getLogger(__name__)

_PATIENCE: Final = 2.0  # s that a logout waits for Kafka
_AHEAD: Final = 10.0  # s that clocks may differ
_BAD = Counter("streamlens_bad_logout_records", "Messages on the topic of logouts that are not ours")


class LogoutTopic:
    """Reads the topic from its beginning, and writes the logouts made here until Kafka has them."""

    def __init__(self, consumer: Consumer, producer: Producer, topic: Topic, logouts: Logouts) -> None:
        self._topic = topic
        self._logouts = logouts
        self._records = Records(consumer, topic.name, self._take, producer=producer, create=topic)
        self._is_read = False
        self._held: dict[bytes, Logout] = {}  # what the topic holds, until it has been read to its end
        self._needless: deque[bytes] = deque()  # keys of records that nobody needs
        self._seldom = Seldom(log)
        logouts.store = self.store

    def step(self) -> None:
        """Read what has come, waiting for it a fifth of a second at most, and send what is due."""
        self._records.step()
        if not self._is_read and (self._records.is_at_end or self._records.is_missing):
            self._is_read = True
            self._learn()
            if not self._logouts.have_begun:
                self._put(self._logouts.begin())
        self._logouts.are_known |= self._records.is_at_end and self._logouts.have_begun
        self._remove()

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
        try:
            stored = self._put(logout)
            self._replace(covered)
        except FullError as error:
            self._seldom.warning("full", f"a logout is not stored: {error}")
            return
        await asyncio.wait({asyncio.wrap_future(stored)}, timeout=_PATIENCE)
        if not stored.done():
            self._seldom.warning(
                "unsent", "a logout waits for Kafka: until then, only this server knows about it"
            )

    def close(self) -> None:
        """Send the rest, which takes half a second at most, and stop reading."""
        self._records.close()
        if unsent := self._records.unsent:
            log.error("%d logouts could not be stored, and are forgotten with the next start", unsent)

    def _learn(self) -> None:
        """Take what the topic holds."""
        for logout in self._held.values():
            if not logout.id:
                self._add(logout)
        # Before any other is taken: what covers them now is on the topic.
        newest = max((each.begun for each in self._held.values()), default=0)
        self._needless += [
            key for key, logout in self._held.items() if self._logouts.is_needless(logout, newest)
        ]
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
        with suppress(FullError):  # at the next step, or the next start
            while self._needless:
                self._records.remove(self._needless[0])
                self._needless.popleft()

    def _put(self, logout: Logout) -> Future[None]:
        return self._records.put(self._logouts.key(logout), self._logouts.encode(logout))
