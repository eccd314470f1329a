"""The topic with the logouts."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from pipeline.kafka.topics import Topic
from tests.clock import Clock
from tests.video.cameras.test_status_topic import FakeConsumer, FakeMessage
from video.access import logout_topic
from video.access.logout_topic import COMPACTED, LogoutTopic
from video.access.logouts import LONGEST, Logout, Logouts
from video.access.users import Users

ANN = Logout("ann", 2_000_000_000, "a")


class Kafka:
    """A topic of one partition that keeps what is produced, and hands it to each consumer."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes, bytes | None]] = []
        self.is_away = False
        self.reports: list[Callable[[], None]] = []

    def list_topics(self, *, timeout: float) -> SimpleNamespace:
        """Return the topic."""
        assert timeout <= 1
        if self.is_away:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        return SimpleNamespace(topics={"logouts": None})

    def produce(self, topic: str, value: bytes | None, key: bytes, on_delivery: Any = None) -> None:
        """Keep a record, or report that it was lost."""
        assert topic == "logouts"
        error = KafkaError(KafkaError._MSG_TIMED_OUT) if self.is_away else None
        if not self.is_away:
            self.records.append((key, value))
        if on_delivery is not None:
            self.reports.append(lambda: on_delivery(error, None))

    def poll(self, _: float) -> None:
        """Report what was delivered."""
        reports, self.reports = self.reports, []
        for report in reports:
            report()

    def flush(self, timeout: float) -> None:
        """Report what was delivered."""
        self.poll(timeout)


class Source(FakeConsumer):
    """Hands out the records, each time as many as there are, and then says that these are all."""

    def __init__(self, kafka: Kafka) -> None:
        super().__init__()
        self.topics = {"logouts": [0]}
        self._kafka = kafka
        self._at = 0

    def poll(self, _: float) -> FakeMessage | None:
        """Return the next message."""
        if not self.assigned:
            return None
        if self._at < len(self._kafka.records):
            key, value = self._kafka.records[self._at]
            self._at += 1
            return FakeMessage(key, value, 0)
        return FakeMessage(b"", b"", 0, KafkaError(KafkaError._PARTITION_EOF))

    def close(self) -> None:
        """Do nothing."""


class Server:
    """A server with the users."""

    def __init__(self, kafka: Kafka, users: Users, clock: Clock) -> None:
        self.logouts = Logouts(users, clock.time)
        source, producer = cast("Consumer", Source(kafka)), cast("Producer", kafka)
        topic = Topic("logouts", COMPACTED, lambda: pytest.fail("it exists"))
        self.topic = LogoutTopic(source, producer, topic, self.logouts)

    def step(self, count: int = 5) -> None:
        """Read and write."""
        for _ in range(count):
            self.topic.step()

    def log_out(self, logout: Logout) -> None:
        """End a session."""
        self.logouts.add(logout)
        asyncio.run(self.logouts.store(logout))  # type: ignore[arg-type]


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Kafka:
    """The topic, at a time that only tests advance; nothing waits for Kafka."""
    for module in ("video.access.logout_topic", "pipeline.kafka.whole_topic"):
        monkeypatch.setattr(f"{module}.time", clock)
    monkeypatch.setattr(logout_topic, "_PATIENCE", 0)
    return Kafka()


@pytest.fixture
def start(kafka: Kafka, users: Users, clock: Clock) -> Callable[[], Server]:
    """Start a server."""
    return lambda: Server(kafka, users, clock)


def test_an_empty_topic_gets_its_first_record_and_is_known_then(
    kafka: Kafka, start: Callable[[], Server]
) -> None:
    server = start()
    assert not server.logouts.are_known
    assert "logouts" in (server.topic.unready() or "")

    server.step()

    assert server.logouts.are_known
    assert server.topic.unready() is None
    assert len(kafka.records) == 1
    other = start()
    other.step()
    assert other.logouts.are_known
    assert len(kafka.records) == 1


def test_a_logout_reaches_other_servers_and_those_that_start_later(start: Callable[[], Server]) -> None:
    here, there = start(), start()
    here.step()
    there.step()

    here.log_out(ANN)
    here.step()
    there.step()

    later = start()
    later.step()
    assert all(server.logouts.cover(ANN) for server in (here, there, later))


def test_while_kafka_is_away_nothing_new_is_known_and_logouts_wait(
    kafka: Kafka, start: Callable[[], Server], clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    kafka.is_away = True
    late = start()
    late.step()
    assert not late.logouts.are_known

    kafka.is_away = False
    server = start()
    server.step()
    kafka.is_away = True
    server.log_out(ANN)
    server.step()
    assert server.logouts.are_known
    assert server.logouts.cover(ANN)
    assert any("waits for Kafka" in line for line in caplog.messages)

    kafka.is_away = False
    clock.now += 3.1
    server.step()
    late.step(10)
    assert late.logouts.cover(ANN)


def test_a_logout_that_kafka_never_took_is_reported_at_the_end(
    kafka: Kafka, start: Callable[[], Server], caplog: pytest.LogCaptureFixture
) -> None:
    server = start()
    server.step()
    kafka.is_away = True
    server.log_out(ANN)

    server.topic.close()

    assert "1 logouts could not be stored" in caplog.messages[-1]


def test_unsigned_records_are_counted_and_logged_once(
    kafka: Kafka, start: Callable[[], Server], caplog: pytest.LogCaptureFixture
) -> None:
    before = logout_topic._BAD._value.get()
    kafka.records += [(b"a", b"nonsense")] * 3 + [(b"b", None)]
    server = start()

    server.step(10)

    assert logout_topic._BAD._value.get() - before == 3
    assert sum("skipped" in line for line in caplog.messages) == 1
    assert server.logouts.are_known


def test_outdated_records_are_removed(kafka: Kafka, start: Callable[[], Server], clock: Clock) -> None:
    server = start()
    server.step()
    old = Logout("ann", int(clock.now) - LONGEST - 1, "old")
    kafka.records.append(server.logouts.encode(old))

    server.step()

    assert (b"old", None) in kafka.records
    assert not server.logouts._ended


@pytest.mark.exceeds("video.access.logout_topic._MOST_UNSENT")
def test_only_so_many_logouts_wait(
    kafka: Kafka,
    start: Callable[[], Server],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(logout_topic, "_MOST_UNSENT", 2)
    server = start()
    server.step()
    kafka.is_away = True

    for number in range(4):
        server.log_out(ANN._replace(id=str(number)))

    assert len(server.topic._unsent) == 2
    assert any("2 logouts wait for Kafka" in line for line in caplog.messages)
