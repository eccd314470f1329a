"""Control messages are written, or there is a reason why not."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from pipeline.kafka.causes import Causes
from tests.training.kafka import AWAY, DENIED
from training.control import publisher
from training.control.publisher import ControlPublisher, PublishError, UnansweredError

Delivered = Callable[[Any, Any], object]
NOT_PERMITTED = "does not permit this user to write topic control"


class Producer:
    """Reports each message's fate with the next poll."""

    def __init__(self) -> None:
        self.messages = list[tuple[str, bytes, bytes]]()
        self.fate: KafkaError | None = None
        self.refusal: Exception | None = None
        self.flushed = 0.0
        self.asked = 0
        self.is_away = False
        self._waiting = list[Delivered]()

    def produce(
        self, topic: str, value: bytes, key: bytes, on_delivery: Callable[[Any, Any], object]
    ) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.messages.append((topic, key, value))
        self._waiting.append(on_delivery)

    def poll(self, timeout: float) -> None:
        assert timeout < 1
        while self._waiting:
            self._waiting.pop()(self.fate, None)

    def list_topics(self, *, timeout: float) -> None:
        assert timeout < 1
        self.asked += 1
        if self.is_away:
            raise KafkaException(AWAY)

    def flush(self, timeout: float) -> None:
        self.flushed = timeout


class World:
    """A publisher, whose service calls `step` in another thread."""

    def __init__(self) -> None:
        self.producer = Producer()
        self.causes = Causes("kafka:9092")
        self.publisher = ControlPublisher(self.producer, "control", self.causes)  # type: ignore[arg-type]

    def publish(self) -> None:
        done = threading.Event()

        def serve() -> None:
            while not done.wait(0.01):
                self.publisher.step()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            self.publisher.publish(b"\0\0\0\1", b"{}")
        finally:
            done.set()
            thread.join()


@pytest.fixture
def world() -> World:
    return World()


def test_a_message_is_there_when_it_was_published(world: World) -> None:
    world.publish()

    assert world.producer.messages == [("control", b"\0\0\0\1", b"{}")]
    world.publisher.close()
    assert world.producer.flushed == 1


@pytest.mark.parametrize(
    ("fate", "kind", "reason"),
    [
        (AWAY, UnansweredError, "topic control: Kafka does not answer"),
        (DENIED, PublishError, NOT_PERMITTED),
    ],
    ids=["away", "denied"],
)
def test_a_message_that_kafka_does_not_take_has_a_reason(
    world: World, fate: KafkaError, kind: type[PublishError], reason: str
) -> None:
    world.producer.fate = fate

    with pytest.raises(PublishError, match=reason) as caught:
        world.publish()
    assert caught.type is kind


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (BufferError(), "too many messages wait for Kafka: try again later"),
        (KafkaException(DENIED), NOT_PERMITTED),
    ],
    ids=["full", "denied"],
)
def test_a_message_that_cannot_be_sent_has_a_reason(world: World, refusal: Exception, reason: str) -> None:
    world.producer.refusal = refusal

    with pytest.raises(PublishError, match=reason):
        world.publish()


def test_kafka_that_says_nothing_is_a_reason(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(Future[None]):
        def result(self, timeout: float | None = None) -> None:
            assert timeout == 5
            raise FutureTimeout

    monkeypatch.setattr(publisher, "Future", Silent)

    with pytest.raises(UnansweredError, match="topic control: Kafka does not answer"):
        world.publish()


def test_kafka_that_was_away_and_answers_is_there_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "_ASK_EVERY", 0.0)
    world.publisher.step()
    assert world.producer.asked == 0
    world.causes.note(KafkaError(KafkaError._TRANSPORT, "kafka:9092/bootstrap: Connect to x failed: refused"))
    assert "Kafka does not answer" in (world.causes.why() or "")

    world.producer.is_away = True
    world.publisher.step()
    assert world.causes.why()
    world.producer.is_away = False
    world.publisher.step()

    assert world.causes.why() is None
    assert world.producer.asked == 2
