"""Which services run, and where each answers: what they report on `TOPICNAMESTATUS`."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaException, Message

from pipeline.kafka.records import Records
from pipeline.ledger.errors import LedgerError
from pipeline.wire.status import EVERY, LIFETIME, Status, StatusError, decode, decode_key

STAGES: Final = ("producer", "consumer", "video")
"""The services that a frame passes, in this order."""

MOST_SERVICES: Final = 500
"""The most processes that are asked; those that have reported last."""

_LATE: Final = 2.5 * EVERY  # s after which a process that does not answer has probably ended
_ANSWER: Final = 5.0  # s in which Kafka should have answered
_STEP: Final = 0.5  # s for what has come meanwhile


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a service: where it answers (perhaps nothing), and the age in s of its last report.

    The age is below 0 if its clock is ahead of this machine's.
    """

    service: str
    instance: str
    health: str
    age: float = 0.0

    @property
    def name(self) -> str:
        """What it is called in a line."""
        return f"{self.service} {self.instance}"

    @property
    def is_late(self) -> bool:
        """Whether it should have reported again, so that it has probably ended."""
        return self.age > _LATE

    @property
    def is_current(self) -> bool:
        """Whether its last report counts, by this machine's clock."""
        return -EVERY <= self.age < LIFETIME


class Directory:
    """Reads the topic, and goes on reading it. `consumer` must report the ends of partitions."""

    def __init__(self, consumer: Consumer, topic: str, bootstrap: str) -> None:
        self._records = Records(consumer, topic, self._take)
        self._consumer = consumer
        self._topic = topic
        self._bootstrap = bootstrap
        # The last record of each process and, separately, the last one about any of its cameras.
        self._found: dict[tuple[str, str], tuple[float, Status]] = {}
        self._of_cameras: dict[tuple[str, str], tuple[float, Status]] = {}
        self.close = self._records.close

    def read(self, timeout: float) -> None:
        """Read all records; raise `LedgerError` if Kafka does not answer, or has no such topic."""
        began, answered = time.monotonic(), False
        while not self._records.is_at_end:
            self._records.step()
            waited = time.monotonic() - began
            if self._records.is_missing:
                raise LedgerError(
                    f"topic {self._topic} does not exist, so no service has reported: start the services, or"
                    " set TOPICNAMESTATUS to what they have"
                )
            if self._records.forbidden:
                raise LedgerError(self._records.forbidden)
            if waited >= timeout:
                raise LedgerError(
                    f"topic {self._topic} was not read to its end within {timeout:g} s: Kafka, or this"
                    " machine, is slow; try again"
                )
            if waited >= _ANSWER and not answered:
                self._ask()
                answered = True

    def follow(self) -> None:
        """Read what has come since."""
        until = time.monotonic() + _STEP
        while time.monotonic() < until:
            before = len(self._found), len(self._of_cameras)
            self._records.step()
            if before == (len(self._found), len(self._of_cameras)):
                break

    def processes(self) -> list[Process]:
        """Return the processes that may be running, in the order of their names."""
        now = time.time()
        newest: dict[str, tuple[float, Status]] = {}
        for at, status in (self._of_cameras | self._found).values():
            place = status.health or f"{status.subject.service}/{status.subject.instance}"
            # At one address, there is one process: the others have ended. However old a record seems, its
            # process may be running, with a clock that is wrong.
            if place not in newest or newest[place][0] < at:
                newest[place] = (at, status)
        last = sorted(newest.values(), key=lambda each: each[0])[-MOST_SERVICES:]
        found = [
            Process(status.subject.service, status.subject.instance, status.health, now - at)
            for at, status in last
            if status.state != "stopped"
        ]
        return sorted(found, key=lambda each: (STAGES.index(each.service), each.instance))

    def _ask(self) -> None:
        try:
            self._consumer.list_topics(timeout=_ANSWER)
        except KafkaException:
            raise LedgerError(
                f"Kafka does not answer at {self._bootstrap}: start it, or set KAFKAPORT (and KAFKACONFIG for"
                " logins and TLS)"
            ) from None

    def _take(self, message: Message) -> None:
        kind, milliseconds = message.timestamp()
        at = time.time() if kind == TIMESTAMP_NOT_AVAILABLE else milliseconds / 1000
        try:
            subject, value = decode_key(message.key()), message.value()
            if value is None or subject.service not in STAGES:
                return
            status = decode(subject, value)
        except StatusError:  # the video server counts and logs them
            return
        (self._of_cameras if subject.camera else self._found)[subject.service, subject.instance] = at, status


def settings_of_consumer(extra: dict[str, Any]) -> dict[str, Any]:
    """Return what librdkafka needs for a `Directory`, besides `extra`."""
    return {
        **extra,
        "allow.auto.create.topics": False,
        "auto.offset.reset": "earliest",
        "enable.partition.eof": True,
    }


def clocks(processes: list[Process]) -> Iterator[str]:
    """Yield a line for each process whose reports do not count: call it with those that answer."""
    for each in processes:
        if each.age >= LIFETIME:
            yield (
                f"{each.name} at {each.health}: its last report seems to be {each.age:.0f} s old, so its"
                " reports do not count: it does not reach Kafka, or its clock is behind this machine's"
            )
        elif not each.is_current:
            yield (
                f"{each.name} at {each.health}: its clock is about {-each.age:.0f} s ahead of this machine's,"
                " so its reports do not count: set one of the two"
            )
