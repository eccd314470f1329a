"""The topic with the logouts."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from pipeline.access import logout_topic, logouts
from pipeline.access.logout_topic import LogoutTopic
from pipeline.access.logouts import LONGEST, Logout, Logouts
from pipeline.access.users import Users
from pipeline.access.users_file import UsersFile, write
from pipeline.kafka import records
from pipeline.kafka.topics import COMPACTED, Topic
from tests.clock import Clock
from tests.video.cameras.test_status_topic import FakeConsumer, FakeMessage

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
        return SimpleNamespace(topics={"logouts": SimpleNamespace(partitions={0: None})})

    def produce(self, topic: str, value: bytes | None, key: bytes, on_delivery: Any = None) -> None:
        """Keep a record, or report that it was lost."""
        assert topic == "logouts"
        error = KafkaError(KafkaError._MSG_TIMED_OUT) if self.is_away else None
        if not self.is_away:
            self.records.append((key, value))
        if on_delivery is not None:
            self.reports.append(lambda: on_delivery(error, None))

    def held(self) -> dict[bytes, bytes]:
        """Return what is left after compaction."""
        return {key: value for key, value in dict(self.records).items() if value is not None}

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
        asyncio.run(self.logouts.end(logout))


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Kafka:
    """The topic, at a time that only tests advance; nothing waits for Kafka."""
    for module in ("pipeline.kafka.records",):
        monkeypatch.setattr(f"{module}.time", clock)
    monkeypatch.setattr(logout_topic, "_PATIENCE", 0)
    monkeypatch.setattr(logouts, "_MOST", 3)
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
    server = start()
    key = server.logouts.key(ANN)
    kafka.records += [(key, b"nonsense")] * 3 + [(key, None)]

    server.step(10)

    assert logout_topic._BAD._value.get() - before == 3
    assert sum("skipped" in line for line in caplog.messages) == 1
    assert server.logouts.are_known


def test_a_logout_before_the_topic_was_looked_for_is_written_once_it_is_there(
    kafka: Kafka, start: Callable[[], Server]
) -> None:
    server = start()
    server.log_out(ANN)
    assert kafka.records == []

    server.step()

    later = start()
    later.step()
    assert later.logouts.cover(ANN)


def test_a_session_that_has_ended_is_not_stored_again(kafka: Kafka, start: Callable[[], Server]) -> None:
    here, there = start(), start()
    here.step()
    there.step()
    here.log_out(ANN)
    there.step()

    for server in (here, there) * 3:
        server.log_out(ANN)

    assert len(kafka.records) == 2


def test_what_has_expired_is_removed_once(kafka: Kafka, start: Callable[[], Server], clock: Clock) -> None:
    server = start()
    server.step()
    now = int(clock.now)
    old, new = Logout("ann", now - LONGEST - 1, "old"), Logout("ann", now, "new")
    for logout in (old, new):
        kafka.records.append((server.logouts.key(logout), server.logouts.encode(logout)))

    for _ in range(3):
        later = start()
        later.step()

    assert kafka.records.count((server.logouts.key(old), None)) == 1
    assert set(kafka.held()) == {server.logouts.key(each) for each in (server.logouts.begin(), new)}
    assert later.logouts.cover(new)


def test_a_server_whose_clock_is_years_ahead_removes_nothing(
    kafka: Kafka, start: Callable[[], Server], clock: Clock
) -> None:
    server = start()
    server.step()
    server.log_out(Logout("ann", int(clock.now), "a"))
    server.step()

    clock.now += 3 * LONGEST
    start().step()

    assert all(value is not None for _, value in kafka.records)


def test_a_topic_that_cannot_be_assigned_is_tried_again(
    kafka: Kafka,
    start: Callable[[], Server],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> None:
        raise KafkaException(KafkaError(KafkaError._STATE))

    kafka.records.clear()
    server = start()
    with monkeypatch.context() as patch:
        patch.setattr(Source, "incremental_assign", fail)
        server.step()
    assert not server.logouts.are_known
    assert "logouts" in caplog.text

    clock.now += 2
    server.step()

    assert server.logouts.are_known


def test_the_oldest_of_too_many_logouts_of_a_user_are_replaced_by_one_record(
    kafka: Kafka, start: Callable[[], Server]
) -> None:
    here, there = start(), start()
    here.step()
    there.step()
    made = [ANN._replace(begun=ANN.begun + number, id=f"id {number}") for number in range(10)]

    for number, logout in enumerate(made):
        (here, there)[number % 2].log_out(logout)
        here.step()
        there.step()

    left = [here.logouts.begin(), Logout("ann", ANN.begun + 7, ""), *made[7:]]
    assert kafka.held().keys() == {here.logouts.key(each) for each in left}
    count = len(kafka.records)
    later = start()
    later.step(count + 5)
    for server in (here, there, later):
        assert all(map(server.logouts.cover, made))
        assert not server.logouts.cover(ANN._replace(begun=ANN.begun + 7))
    assert len(kafka.records) == count


def test_a_record_that_replaces_others_is_stored_before_they_are_removed(
    kafka: Kafka, start: Callable[[], Server], clock: Clock
) -> None:
    server = start()
    server.step()
    made = [ANN._replace(begun=ANN.begun + number, id=f"id {number}") for number in range(4)]
    for logout in made[:3]:
        server.log_out(logout)
    before = Logout("ann", ANN.begun + 1, "")

    kafka.is_away = True
    server.log_out(made[3])
    server.step()
    assert server.logouts.key(made[0]) in kafka.held()
    kafka.is_away = False
    clock.now += 3.1
    server.step()

    keys = [key for key, _ in kafka.records]
    assert kafka.records.index((server.logouts.key(made[0]), None)) > keys.index(server.logouts.key(before))
    assert kafka.held().keys() == {
        server.logouts.key(each) for each in (server.logouts.begin(), before, *made[1:])
    }


def test_a_server_completes_what_another_could_not(kafka: Kafka, start: Callable[[], Server]) -> None:
    server = start()
    server.step()
    made = [ANN._replace(begun=ANN.begun + number, id=f"id {number}") for number in range(6)]
    unwritten = [server.logouts.key(each) for each in made]
    kafka.records += [(server.logouts.key(each), server.logouts.encode(each)) for each in reversed(made)]

    start().step(20)

    left = [server.logouts.begin(), Logout("ann", ANN.begun + 3, ""), *made[3:]]
    assert kafka.held().keys() == {server.logouts.key(each) for each in left}
    later = start()
    later.step(30)
    assert all(map(later.logouts.cover, made))
    assert len([key for key, value in kafka.records if key in unwritten and value is None]) == 3


def test_servers_with_other_users_may_use_the_same_topic(
    kafka: Kafka, start: Callable[[], Server], clock: Clock, content: UsersFile, tmp_path: Path
) -> None:
    bad = logout_topic._BAD._value.get()
    (tmp_path / "others").mkdir()
    write(tmp_path / "others/users.json", content.model_copy(update={"secret": "t" * 32}))
    ours = start()
    ours.step()
    session = Logout("ann", int(clock.now), "a")

    clock.now += 60
    logout = Logout("ann", int(clock.now), "b")
    theirs = Server(kafka, Users(tmp_path / "others/users.json", clock.monotonic), clock)
    theirs.step()
    theirs.log_out(logout)
    later = start()
    later.step(10)

    for server in (ours, later):
        server.step()
        assert server.logouts.are_known
        assert not server.logouts.cover(session)
        assert not server.logouts.cover(logout)
    assert theirs.logouts.cover(session)
    assert theirs.logouts.cover(logout)
    assert len(kafka.held()) == 3
    assert logout_topic._BAD._value.get() == bad


@pytest.mark.parametrize(("ahead", "lines"), [(3600, 1), (5, 0), (-3600, 0)])
def test_a_topic_from_a_clock_that_was_ahead_is_reported_once(
    start: Callable[[], Server], clock: Clock, caplog: pytest.LogCaptureFixture, ahead: float, lines: int
) -> None:
    clock.now += ahead
    start().step()
    clock.now -= ahead
    caplog.clear()

    server = start()
    server.step()

    assert [line for line in caplog.messages if "no login of anybody counts for 3600 s" in line] == (
        caplog.messages[:lines]
    )
    assert len(caplog.messages) == lines
    assert server.logouts.are_known


@pytest.mark.exceeds("pipeline.kafka.records.MOST_UNSENT")
def test_only_so_many_logouts_wait(
    kafka: Kafka,
    start: Callable[[], Server],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(records, "MOST_UNSENT", 2)
    server = start()
    server.step()
    kafka.is_away = True

    for number in range(4):
        server.log_out(ANN._replace(id=str(number)))

    assert server.topic._records.unsent == 2
    assert any("2 records of topic logouts wait for Kafka" in line for line in caplog.messages)
