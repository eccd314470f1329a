"""Clients that connect again after librdkafka has lost all brokers for good.

A broker that has just started may answer that there are no brokers. Then librdkafka forgets all it knew, and
may never look for them again (librdkafka#5301). So if Kafka does not answer for a while, a new client asks.
If Kafka answers that one, and still not the old one, the new one takes over.
"""

import logging
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from confluent_kafka import OFFSET_END, Consumer, KafkaException, Message, Producer, TopicPartition

from pipeline.service.logs import Seldom

log = logging.getLogger(__name__)
_seldom = Seldom(log)  # for all clients of this process

_PATIENCE: Final = 5.0  # s without any answer
_EVERY: Final = 5.0  # s between two attempts
_WAIT: Final = 0.5  # s for an answer
_LAST: Final = 3.0  # s for what waits in a client that is replaced
_AGAIN: Final = "the connection to Kafka was lost for good: connected again"

_Client = TypeVar("_Client", Consumer, Producer)


class SteadyConsumer:
    """Reads the assigned partitions of one Kafka, with all methods of confluent-kafka's `Consumer`.

    `connect` returns a new client. It continues where the old one was, or with the newest messages of
    partitions that are read from their ends.
    """

    def __init__(self, connect: Callable[[], Consumer]) -> None:
        self.on_replace: Callable[[], object] = lambda: None
        """Called when a new client takes over."""
        self._connect = connect
        self._client = connect()
        self._assigned: dict[tuple[str, int], int] = {}  # from which offset
        self._answered = time.monotonic()
        self._try_at = 0.0

    def poll(self, timeout: float) -> Message | None:
        """Return a message, or None if none comes within `timeout` s."""
        now = time.monotonic()
        if now - self._answered >= _PATIENCE:
            self._check(now)
        message = self._client.poll(timeout)
        if message is not None and message.error() is None:
            self._answered = now
        return message

    def consume(self, most: int, timeout: float) -> list[Message]:
        """Return the messages that come within `timeout` s, at `most` so many."""
        now = time.monotonic()
        if now - self._answered >= _PATIENCE:
            self._check(now)
        messages = self._client.consume(most, timeout)
        if messages and messages[-1].error() is None:
            self._answered = now
        return messages

    def list_topics(self, *args: Any, **options: Any) -> Any:
        """Return what Kafka says about one topic or all; raise `KafkaException` if it says nothing."""
        found = self._client.list_topics(*args, **options)
        self._answered = time.monotonic()
        return found

    def incremental_assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read these partitions, too."""
        self._client.incremental_assign(list(partitions))
        self._assigned |= {(each.topic, each.partition): each.offset for each in partitions}

    def incremental_unassign(self, partitions: Sequence[TopicPartition]) -> None:
        """Do not read these partitions any more."""
        self._client.incremental_unassign(list(partitions))
        for each in partitions:
            self._assigned.pop((each.topic, each.partition), None)

    def __getattr__(self, name: str) -> Any:
        """Return any other method of the client's."""
        return getattr(self._client, name)

    def _check(self, now: float) -> None:
        """Replace the client if Kafka answers another one, and not this one."""
        if now < self._try_at:
            return
        self._try_at = now + _EVERY
        if _answers(self._client):
            self._answered = now
            return
        client = _connected(self._connect)
        if client is None:
            return
        is_there = _answers(client)
        if is_there and not _answers(self._client):
            self._replace(client)
        else:
            client.close()
        if is_there:
            self._answered = now

    def _replace(self, client: Consumer) -> None:
        log.warning(_AGAIN)
        places = [TopicPartition(topic, number) for topic, number in self._assigned]
        for place in self._client.position(places):
            begun = self._assigned[place.topic, place.partition]
            if begun == OFFSET_END or place.offset < 0:
                place.offset = begun
            client.incremental_assign([TopicPartition(place.topic, place.partition, place.offset)])
        # It may take long to end what has no broker.
        threading.Thread(target=self._client.close, name="closing", daemon=True).start()
        self._client = client
        self.on_replace()


class SteadyProducer:
    """Writes to one Kafka, with all methods of confluent-kafka's `Producer`.

    `connect` returns a new client. What waits in the old one is still sent if that is possible.
    """

    def __init__(self, connect: Callable[[], Producer]) -> None:
        self._connect = connect
        self._use(connect())
        self._lost_since: float | None = None

    def __len__(self) -> int:
        return len(self._client)

    def __getattr__(self, name: str) -> Any:
        """Return any method of the client's."""
        return getattr(self._client, name)

    def _use(self, client: Producer) -> None:
        self._client = client
        # Called for every frame: without the detour by `__getattr__`.
        self.produce, self.poll = client.produce, client.poll

    def check(self) -> None:
        """Replace the client if Kafka has not answered it for a while, but answers another one."""
        now = time.monotonic()
        if _answers(self._client):
            self._lost_since = None
        elif self._lost_since is None:
            self._lost_since = now
        elif now - self._lost_since >= _PATIENCE:
            client = _connected(self._connect)
            if client is None or not _answers(client):
                return
            self._lost_since = None
            if not _answers(self._client):
                log.warning(_AGAIN)
                old = self._client
                self._use(client)
                threading.Thread(target=old.flush, args=(_LAST,), name="closing", daemon=True).start()


def look_after(producer: SteadyProducer) -> None:
    """Check a producer every few seconds as long as it is used, in a thread."""
    threading.Thread(target=_check, args=(weakref.ref(producer),), name="brokers", daemon=True).start()


def _check(reference: weakref.ref[SteadyProducer]) -> None:
    while True:
        time.sleep(_EVERY)
        producer = reference()
        if producer is None:
            return
        producer.check()
        del producer


def _connected(connect: Callable[[], _Client]) -> _Client | None:
    """Return a new client; None, with a line in the log, if there can be none now."""
    try:
        return connect()
    except Exception as error:  # whatever it is, such as a missing file: the old client stays
        _seldom.warning("connect", f"cannot connect to Kafka again: {error}")
        return None


def _answers(client: Consumer | Producer) -> bool:
    try:
        client.list_topics(timeout=_WAIT)
    except KafkaException:
        return False
    return True
