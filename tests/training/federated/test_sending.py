"""Bytes through a topic: whole, or an error that says why not."""

import threading
from typing import Any

import pytest
from confluent_kafka import KafkaError

from pipeline.kafka.causes import Causes
from tests.training.kafka import AWAY, FakeKafka
from training.code.supervise import StoppedError
from training.data.ranges import Range
from training.federated import sending
from training.federated.sending import CHUNK, Sender, fetch


class Stop(threading.Event):
    """An event that is waited for without a pause; it is set after so many waits."""

    def __init__(self, waits: int = 1000) -> None:
        super().__init__()
        self.waits = waits

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002
        self.waits -= 1
        if self.waits <= 0:
            self.set()
        return self.is_set()


class World:
    """A topic, and a sender with what it has said."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.kafka = FakeKafka()
        patch.setattr(sending, "time", self.kafka.clock)
        self.kafka.add("topic")
        self.stop = Stop()
        self.said = list[str]()
        self.producer = self.kafka.producer()
        self.sender = Sender(
            self.producer,  # type: ignore[arg-type]
            Causes("kafka:9092"),
            self.stop,
            self.said.append,
        )

    def fetch(self, start: int, end: int, size: int) -> bytes:
        consumer: Any = self.kafka.consumer()
        return fetch(consumer, Range("topic", 0, start, end), size, self.stop)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_a_message_has_its_offset(world: World) -> None:
    assert [world.sender.send("topic", b"x", b"key") for _ in range(2)] == [0, 1]


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_bytes_arrive_as_they_were(world: World, size: int) -> None:
    world.sender.send("topic", b"before", None)
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]

    place = world.sender.send_bytes("topic", data)

    assert place == Range("topic", 0, 1, 1 + max(1, -(-size // CHUNK)))
    assert world.fetch(place.start, place.end, size) == data


def test_a_message_is_sent_until_kafka_has_it(world: World) -> None:
    world.producer.refuses.extend([AWAY, AWAY])
    world.producer.is_full = 1

    assert world.sender.send("topic", b"x", None) == 0
    assert len(world.said) == 2


def test_a_refused_request_is_repeated(world: World) -> None:
    world.kafka.troubles.append(AWAY)

    assert world.sender.send("topic", b"x", None) == 0
    assert len(world.said) == 1


def test_sending_can_be_stopped(world: World) -> None:
    world.stop.waits = 2
    world.producer.refuses.extend([AWAY] * 5)

    with pytest.raises(StoppedError):
        world.sender.send("topic", b"x", None)


def test_a_message_that_is_too_large_is_not_sent_again(world: World) -> None:
    world.producer.refuses.append(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))

    with pytest.raises(ValueError, match="topic topic: a message of 3 bytes is larger than it accepts"):
        world.sender.send("topic", b"abc", None)


def test_a_set_between_which_others_write_is_sent_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    data = b"x" * (CHUNK + 1)
    original, others = world.sender.send, [1]

    def send(topic: str, value: bytes, key: bytes | None) -> int:
        found = original(topic, value, key)
        if others:
            world.kafka.write("topic", b"other", None)
            others.pop()
        return found

    world.sender.send = send  # type: ignore[method-assign]

    assert world.sender.send_bytes("topic", data) == Range("topic", 0, 3, 5)
    assert "others write to it, too; sending again" in caplog.text
    others.extend([1] * 100)
    with pytest.raises(ValueError, match="others write to it all the time: allow WRITE to this user only"):
        world.sender.send_bytes("topic", data)


@pytest.mark.parametrize("size", [1, 5])
def test_fewer_or_more_bytes_are_an_error(world: World, size: int) -> None:
    world.sender.send("topic", b"abc", None)

    with pytest.raises(ValueError, match=f"have 3 bytes or more: expected {size}"):
        world.fetch(0, 1, size)


def test_messages_that_are_missing_are_an_error(world: World) -> None:
    world.sender.send("topic", b"abc", None)

    with pytest.raises(ValueError, match="the messages topic:0:0:2 cannot be read: they are missing"):
        world.fetch(0, 2, 6)


def test_fetching_can_be_stopped(world: World) -> None:
    world.stop.set()

    with pytest.raises(StoppedError):
        world.fetch(0, 1, 3)


def test_the_consumer_can_be_used_again(world: World) -> None:
    consumer: Any = world.kafka.consumer()
    world.sender.send("topic", b"abc", None)

    for _ in range(2):
        assert fetch(consumer, Range("topic", 0, 0, 1), 3, world.stop) == b"abc"


def test_closing_sends_the_rest(world: World) -> None:
    world.producer.produce("topic", b"x", b"", 0, lambda *_: None)

    world.sender.close()

    assert world.producer.stored == [b"x"]
