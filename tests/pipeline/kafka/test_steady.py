"""A consumer whose client loses all brokers for good."""

import logging
import threading
from collections.abc import Callable
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

from pipeline.kafka.steady import SteadyConsumer, SteadyProducer, look_after
from pipeline.service.logs import Seldom
from pipeline.service.settings import SettingsError
from tests.clock import Clock


class FakeClient:
    """A client that Kafka answers, or not, and that has read up to these offsets.

    A `late` one gets no answer to that many questions, although it is connected.
    """

    def __init__(self, *, is_answered: bool = True, late: int = 0) -> None:
        self.is_answered = is_answered
        self.late = late
        self.assigned: dict[tuple[str, int], int] = {}
        self.read: dict[tuple[str, int], int] = {}
        self.messages: list[Any] = []
        self.closed = threading.Event()

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> str:
        assert 0 < timeout <= 1
        self.late -= 1
        if not self.is_answered or self.late >= 0:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        return f"about {topic}"

    def poll(self, _: float) -> Any:
        return self.messages.pop(0) if self.messages else None

    def produce(self, topic: str) -> None:
        self.messages.append(topic)

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


class Connects:
    """Returns these clients, one after the other; raises what is an error."""

    def __init__(self, *clients: FakeClient | Exception) -> None:
        self._left = iter(clients)

    def __call__(self) -> Any:
        client = next(self._left)
        if isinstance(client, Exception):
            raise client
        return client


class Kit:
    """A consumer with a first client, and others that it may get."""

    def __init__(self, *others: FakeClient | Exception) -> None:
        self.first = FakeClient()
        self.consumer = SteadyConsumer(cast("Callable[[], Consumer]", Connects(self.first, *others)))


REFUSED = SettingsError("KAFKACONFIG='***': ssl.ca.location failed: no such file")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("pipeline.kafka.steady.time", clock)
    monkeypatch.setattr("pipeline.kafka.steady._seldom", Seldom(logging.getLogger("pipeline.kafka.steady")))
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
    replaced: list[bool] = []
    kit.consumer.on_replace = lambda: replaced.append(True)

    assert kit.consumer.poll(0.1) is not None

    assert replaced == [True]
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


def test_a_client_that_was_only_late_stays(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    other = FakeClient()
    kit = Kit(other)
    kit.first.late = 1
    clock.now += 11

    for _ in range(3):
        assert kit.consumer.poll(0.1) is None
        clock.now += 1

    assert not kit.first.closed.is_set()
    assert other.closed.is_set()
    assert caplog.messages == []


@pytest.mark.parametrize("error", [REFUSED, OSError("no such file")])
def test_a_consumer_goes_on_if_it_cannot_connect_again(
    clock: Clock, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    other = FakeClient()
    kit = Kit(error, error, other)
    kit.first.is_answered = False

    for _ in range(16):
        clock.now += 1
        assert kit.consumer.poll(0.1) is None

    assert kit.first.closed.wait(10)
    assert not other.closed.is_set()
    assert caplog.messages[0] == f"cannot connect to Kafka again: {error}"
    assert len(caplog.messages) == 2


def steady(clients: list[FakeClient | Exception]) -> SteadyProducer:
    """Return a producer with these clients, one after the other; each takes what it is given."""
    return SteadyProducer(cast("Callable[[], Producer]", Connects(*clients)))


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
    producer.produce("live")
    assert second.messages == ["live"]
    assert len(caplog.messages) == 1


def test_a_producer_keeps_its_client_while_kafka_is_away_or_answers_again(clock: Clock) -> None:
    first, *others = [FakeClient(is_answered=False) for _ in range(4)]
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


def test_a_producer_whose_client_was_only_late_keeps_it(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    first = FakeClient(late=4)
    producer = steady([first, FakeClient()])

    for _ in range(8):
        clock.now += 2
        producer.check()

    assert not first.closed.is_set()
    assert caplog.messages == []


@pytest.mark.usefixtures("clock")
def test_a_producer_that_cannot_connect_again_is_still_looked_after(caplog: pytest.LogCaptureFixture) -> None:
    first, second = FakeClient(is_answered=False), FakeClient()
    producer = steady([first, REFUSED, OSError("no such file"), REFUSED, second])

    look_after(producer)

    assert first.closed.wait(10)
    assert caplog.messages[0] == f"cannot connect to Kafka again: {REFUSED}"
    assert len(caplog.messages) == 2
