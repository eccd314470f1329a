"""A consumer whose client loses all brokers for good."""

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)

from pipeline.kafka.steady import SteadyConsumer, SteadyProducer
from tests.clock import Clock


class FakeClient:
    """A client that Kafka answers, or not, and that has read up to these offsets."""

    def __init__(self, *, is_answered: bool = True) -> None:
        self.is_answered = is_answered
        self.assigned: dict[tuple[str, int], int] = {}
        self.read: dict[tuple[str, int], int] = {}
        self.messages: list[Any] = []
        self.closed = threading.Event()

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> str:
        assert 0 < timeout <= 1
        if not self.is_answered:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        return f"about {topic}"

    def poll(self, _: float) -> Any:
        return self.messages.pop(0) if self.messages else None

    def consume(self, most: int, _: float) -> list[Any]:
        taken, self.messages = self.messages[:most], self.messages[most:]
        return taken

    def incremental_assign(self, partitions: list[TopicPartition]) -> None:
        self.assigned |= {(each.topic, each.partition): each.offset for each in partitions}

    def incremental_unassign(self, partitions: list[TopicPartition]) -> None:
        for each in partitions:
            del self.assigned[each.topic, each.partition]

    def position(self, partitions: list[TopicPartition]) -> list[TopicPartition]:
        return [
            TopicPartition(each.topic, each.partition, self.read.get((each.topic, each.partition), -1001))
            for each in partitions
        ]

    def close(self) -> None:
        self.closed.set()

    def flush(self, _: float) -> None:
        self.closed.set()

    def __len__(self) -> int:
        return len(self.messages)


class Kit:
    """A consumer with a first client, and others that it may get."""

    def __init__(self, *others: FakeClient) -> None:
        self.first = FakeClient()
        self._clients = iter([self.first, *others])
        self.consumer = SteadyConsumer(lambda: cast("Consumer", next(self._clients)))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("pipeline.kafka.steady.time", clock)
    return clock


def message(error: object = None) -> SimpleNamespace:
    return SimpleNamespace(error=lambda: error)


def test_a_new_client_takes_over_where_the_old_one_was(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    other = FakeClient()
    kit = Kit(other)
    kit.consumer.incremental_assign(
        [TopicPartition("live", 0, OFFSET_END), TopicPartition("live", 1, OFFSET_END)]
    )
    kit.consumer.incremental_assign([TopicPartition("kept", number, OFFSET_BEGINNING) for number in (0, 1)])
    kit.consumer.incremental_unassign([TopicPartition("live", 1)])
    kit.first.read = {("live", 0): 70, ("kept", 0): 7}
    kit.first.is_answered = False
    clock.now += 11
    other.messages = [message()]

    assert kit.consumer.poll(0.1) is not None

    assert other.assigned == {("live", 0): OFFSET_END, ("kept", 0): 7, ("kept", 1): OFFSET_BEGINNING}
    assert kit.first.closed.wait(10)
    assert not other.closed.is_set()
    assert kit.consumer.list_topics("live", timeout=0.5) == "about live"
    assert len(caplog.messages) == 1


def test_while_kafka_is_away_the_client_stays(clock: Clock) -> None:
    others = [FakeClient(is_answered=False) for _ in range(2)]
    kit = Kit(*others)
    kit.first.is_answered = False

    for _ in range(14):
        clock.now += 1
        assert kit.consumer.consume(10, 0.1) == []

    assert [each.closed.is_set() for each in (kit.first, *others)] == [False, True, True]


def test_a_client_that_is_answered_stays_however_long_no_message_comes(clock: Clock) -> None:
    kit = Kit()

    for _ in range(100):
        clock.now += 1
        kit.consumer.poll(0.1)


@pytest.mark.parametrize("how", ["poll", "consume", "list"])
def test_whatever_kafka_answers_shows_that_it_is_there(clock: Clock, how: str) -> None:
    kit = Kit()
    clock.now += 4
    kit.first.messages = [message()]
    if how == "poll":
        kit.consumer.poll(0.1)
    elif how == "consume":
        kit.consumer.consume(10, 0.1)
    else:
        kit.consumer.list_topics(timeout=0.5)
    kit.first.is_answered = False
    clock.now += 4
    kit.first.messages = []

    assert kit.consumer.poll(0.1) is None


def test_errors_are_no_answers(clock: Clock) -> None:
    other = FakeClient()
    kit = Kit(other)
    clock.now += 4
    kit.first.messages = [message("all brokers are down")]
    kit.consumer.poll(0.1)
    kit.first.is_answered = False
    clock.now += 2

    kit.consumer.poll(0.1)

    assert kit.first.closed.wait(10)


def steady(clients: list[FakeClient]) -> SteadyProducer:
    """Return a producer with these clients, one after the other; each takes what it is given."""
    left = iter(clients)
    return SteadyProducer(lambda: cast("Producer", next(left)))


def test_a_producer_goes_on_with_a_new_client_and_sends_what_waits_in_the_old_one(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = FakeClient(is_answered=False), FakeClient()
    producer = steady([first, second])
    first.messages = [message()]

    for _ in range(4):
        clock.now += 2
        producer.check()

    assert first.closed.wait(10)
    assert len(producer) == 0
    assert producer.list_topics("live", timeout=0.5) == "about live"
    assert len(caplog.messages) == 1


def test_a_producer_keeps_its_client_while_kafka_is_away_or_answers_again(clock: Clock) -> None:
    first, *others = (FakeClient(is_answered=False) for _ in range(4))
    first.messages = [message()]
    producer = steady([first, *others])

    for _ in range(4):
        clock.now += 2
        producer.check()
    first.is_answered = True
    producer.check()
    first.is_answered = False
    clock.now += 60
    producer.check()

    assert not first.closed.is_set()
    assert len(producer) == 1
