"""Every message of an endless topic is read once; Kafka is a stand-in."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import KafkaError

from pipeline.kafka import clients
from tests.training.kafka import AWAY, DENIED, FakeKafka, event
from training.code.supervise import StoppedError
from training.job.stream import reader
from training.job.stream.reader import Stream

SINCE = datetime(2026, 1, 31, tzinfo=UTC)
BEGIN = int(SINCE.timestamp() * 1000)


class World:
    """A Kafka, and what a stream reports."""

    def __init__(self) -> None:
        self.kafka = FakeKafka()
        self.stop = threading.Event()
        self.reasons = list[str]()
        self.found = list[tuple[int, int]]()

    def write(self, count: int, sent: int = BEGIN, partition: int = 0) -> None:
        for number in range(count):
            self.kafka.write("digits", bytes([number]), b"\1", partition, sent)

    def stream(self, positions: dict[int, int] | None = None, since: datetime | None = SINCE) -> Stream:
        return Stream(
            "kafka:9092",
            "digits",
            positions=positions or {},
            since=since,
            config={},
            stop=self.stop,
            found=lambda *found: self.found.append(found),
            waiting=self.reasons.append,
        )


@pytest.fixture
def world() -> Iterator[World]:
    found = World()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "consumer", found.kafka.consumer)
        patch.setattr(reader, "time", found.kafka.clock)
        yield found


def places(messages: list[Any]) -> list[tuple[int, int]]:
    return [(each.partition(), each.offset()) for each in messages]


def test_a_stream_begins_with_the_first_message_after_the_deployment(world: World) -> None:
    world.kafka.add("digits", 3)
    world.write(3, BEGIN - 1)
    world.write(2, BEGIN)
    world.write(4, BEGIN - 5, partition=1)
    stream = world.stream()

    assert places(stream.take(5)) == [(0, 3), (0, 4)]

    assert world.found == [(0, 3), (1, 4), (2, 0)]
    assert stream.positions == {0: 5, 1: 4, 2: 0}
    world.write(1, partition=1)
    assert places(stream.take(5)) == [(1, 4)]


def test_without_a_time_all_of_the_topic_is_read(world: World) -> None:
    world.kafka.add("digits")
    world.write(3, BEGIN - 1)

    assert places(world.stream(since=None).take(5)) == [(0, 0), (0, 1), (0, 2)]


def test_a_topic_that_comes_later_is_read_from_its_beginning(world: World) -> None:
    stream = world.stream()
    assert stream.take(5) == []
    assert world.reasons[-1] == "waiting for messages on topic digits"

    world.kafka.add("digits", 1)
    world.write(2, BEGIN - 1000)
    assert places(stream.take(5)) == [(0, 0), (0, 1)]


def test_partitions_that_come_later_are_read_from_their_beginning(world: World) -> None:
    world.kafka.add("digits")
    stream = world.stream()
    assert stream.take(5) == []

    world.kafka.topics["digits"] += FakeKafka().topics.setdefault(
        "new", [type(world.kafka.topics["digits"][0])()]
    )
    world.write(1, BEGIN - 1, partition=1)

    assert places(stream.take(5)) == [(1, 0)]


def test_a_restarted_job_goes_on_where_it_was(world: World) -> None:
    world.kafka.add("digits")
    world.write(5)

    assert places(world.stream({0: 3}).take(5)) == [(0, 3), (0, 4)]
    assert world.found == []


def test_messages_that_a_new_client_reads_again_are_skipped(world: World) -> None:
    world.kafka.add("digits")
    world.write(5)
    stream = world.stream()
    assert len(stream.take(5)) == 5

    world.kafka.consumers[0]._at["digits", 0] = 2
    world.write(1)

    assert places(stream.take(5)) == [(0, 5)]


def test_a_mini_batch_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.kafka.add("digits")
    world.write(7)
    stream = world.stream()

    monkeypatch.setattr(reader, "MINI_BATCH", 3)
    assert len(stream.take(5)) == 3
    monkeypatch.setattr(reader, "MINI_BATCH_BYTES", 2)
    assert len(stream.take(5)) == 2


def test_messages_that_were_deleted_are_counted(world: World) -> None:
    world.kafka.add("digits")
    world.write(9)
    stream = world.stream({0: 2})
    world.kafka.delete("digits", 6)

    assert stream.take(5) == []
    assert stream.deleted == 4
    assert places(stream.take(5)) == [(0, 6), (0, 7), (0, 8)]
    assert stream.deleted == 0


def test_a_topic_that_was_created_again_is_read_from_its_beginning(world: World) -> None:
    world.kafka.add("digits")
    world.write(2)
    stream = world.stream({0: 100})
    world.kafka.consumers[0].events.append(event(KafkaError.OFFSET_OUT_OF_RANGE, "digits", 0))

    assert places(stream.take(5)) == [(0, 0), (0, 1)]
    assert stream.deleted == 0


def test_while_kafka_is_away_the_time_does_not_count(world: World) -> None:
    world.kafka.add("digits")
    stream = world.stream()
    world.kafka.troubles += [AWAY] * 4
    begin = world.kafka.clock.now

    assert stream.take(3) == []

    assert any("Kafka does not answer" in each for each in world.reasons)
    assert world.kafka.clock.now - begin > 8


def test_a_topic_that_may_not_be_read_is_a_reason(world: World) -> None:
    world.kafka.errors["digits"] = DENIED

    def give_up(_: Any) -> None:
        if world.reasons:
            world.stop.set()

    world.kafka.between = give_up
    with pytest.raises(StoppedError):
        world.stream().take(5)

    assert "digits" in world.reasons[0]


def test_a_stream_can_be_stopped(world: World) -> None:
    world.stop.set()

    with pytest.raises(StoppedError):
        world.stream().take(float("inf"))


def test_kafka_that_is_away_after_messages_were_deleted_is_asked_again(world: World) -> None:
    world.kafka.add("digits")
    world.write(9)
    stream = world.stream({0: 2})
    world.kafka.delete("digits", 6)

    def fail_once(_: Any) -> None:
        world.kafka.troubles.append(AWAY)
        world.kafka.between = lambda _: None

    world.kafka.between = fail_once
    assert stream.take(5) == []
    assert stream.deleted == 4


def test_a_stream_leaves_kafka(world: World) -> None:
    world.stream().close()

    assert world.kafka.consumers[0].is_closed
