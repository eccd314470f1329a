"""Topics are read from their beginnings, whenever they appear."""

from typing import Any

import pytest

from pipeline.kafka.causes import Causes
from tests.training.kafka import AWAY, DENIED, FakeKafka
from training.federated import following
from training.federated.following import Follower


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> FakeKafka:
    kafka = FakeKafka()
    monkeypatch.setattr(following, "time", kafka.clock)
    return kafka


@pytest.fixture
def follower(kafka: FakeKafka) -> Follower:
    consumer: Any = kafka.consumer()
    return Follower(consumer, Causes("kafka:9092"))


def values(follower: Follower, steps: int = 40) -> list[bytes | None]:
    found = (follower.poll() for _ in range(steps))
    return [message.value() for message in found if message is not None]


def test_all_topics_are_read_from_their_beginnings(kafka: FakeKafka, follower: Follower) -> None:
    for number in range(3):
        kafka.topics.setdefault("first", []) or kafka.add("first", 2)
        kafka.write("first", b"%d" % number, None, number % 2)
    follower.add("first")
    follower.add("later")
    follower.add("first")

    assert sorted(values(follower)) == [b"0", b"1", b"2"]  # type: ignore[type-var]
    assert follower.is_at_end("first")
    assert not follower.is_at_end("later")
    assert follower.offsets("first") == {0: 2, 1: 1}

    kafka.add("later")
    kafka.write("later", b"x", None)
    assert values(follower) == [b"x"]
    assert follower.is_at_end("later")


def test_it_continues_from_known_offsets(kafka: FakeKafka, follower: Follower) -> None:
    kafka.add("topic")
    for number in range(3):
        kafka.write("topic", b"%d" % number, None)

    follower.add("topic", {0: 2})

    assert values(follower) == [b"2"]


def test_a_topic_can_be_left(kafka: FakeKafka, follower: Follower) -> None:
    kafka.add("topic")
    kafka.write("topic", b"1", None)
    follower.add("topic")
    assert values(follower) == [b"1"]

    follower.remove("topic")
    follower.remove("unknown")
    kafka.write("topic", b"2", None)
    assert values(follower) == []

    follower.add("topic")
    assert values(follower) == [b"1", b"2"]


def test_what_keeps_it_from_a_topic_is_known(kafka: FakeKafka, follower: Follower) -> None:
    follower.add("topic")
    kafka.troubles.append(AWAY)
    follower.poll()
    assert follower.trouble is not None

    values(follower)
    assert follower.trouble is None, "a topic that does not exist yet is waited for"

    kafka.errors["topic"] = DENIED
    values(follower)
    assert "Kafka does not permit this user to read topic topic" in str(follower.trouble)


def test_it_closes_its_consumer(kafka: FakeKafka, follower: Follower) -> None:
    follower.close()

    assert kafka.consumers[0].is_closed
