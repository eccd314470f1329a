import threading
from typing import Any

import pytest
from confluent_kafka import KafkaError

from pipeline.kafka.causes import Causes
from tests.training.inference.fakes import FakeMessage, FakeProducer, Stopping
from training.code.supervise import StoppedError
from training.inference import sink
from training.inference.answers import Answer
from training.inference.sink import Sink

AWAY = KafkaError(KafkaError._MSG_TIMED_OUT)
TOO_LARGE = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)


def answers(count: int) -> list[Answer]:
    questions: list[Any] = [FakeMessage(at, b"", b"key", [("h", b"1")]) for at in range(count)]
    return [Answer(question, b"%d" % at) for at, question in enumerate(questions)]


@pytest.fixture
def producer() -> FakeProducer:
    return FakeProducer()


def made(producer: FakeProducer, stopping: threading.Event | None = None) -> Sink:
    given: Any = producer
    return Sink(given, "out", Causes("kafka:9092"), stopping or threading.Event(), pause=0)


def test_it_returns_when_kafka_has_all(producer: FakeProducer) -> None:
    writer = made(producer)

    assert writer.deliver(answers(2)) == []

    assert producer.written == [(b"key", [("h", b"1")], b"0"), (b"key", [("h", b"1")], b"1")]
    assert writer.deliver([]) == []


def test_what_kafka_has_not_taken_is_sent_again(producer: FakeProducer) -> None:
    producer.fates = [AWAY, None, AWAY, AWAY, None]
    writer = made(producer)

    writer.deliver(answers(3))

    assert [value for *_, value in producer.written] == [b"1", b"2", b"0"]
    assert writer.unready() is None


def test_what_it_will_never_take_is_returned(producer: FakeProducer) -> None:
    producer.fates = [None, TOO_LARGE]
    first, second = answers(2)

    ((refused, reason),) = made(producer).deliver([first, second])

    assert refused is second
    assert reason == TOO_LARGE.str()


def test_while_kafka_is_away_it_waits_until_the_service_stops(producer: FakeProducer) -> None:
    producer.fates = [AWAY] * 10
    writer = made(producer, Stopping(3))

    with pytest.raises(StoppedError):
        writer.deliver(answers(1))

    assert len(producer.fates) == 7
    assert "topic out: Kafka does not answer" in (writer.unready() or "")


def test_a_full_queue_is_emptied_first(producer: FakeProducer) -> None:
    producer.is_full = True

    made(producer).deliver(answers(1))

    assert len(producer.written) == 1


def test_answers_without_news_end_with_the_service(
    producer: FakeProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink, "_GRACE", 0.0)
    producer.is_stuck = True
    stopping = threading.Event()
    stopping.set()
    writer = made(producer, stopping)

    with pytest.raises(StoppedError):
        writer.deliver(answers(1))
    writer.close()


def test_answers_whose_fate_stays_unknown_are_sent_again(
    producer: FakeProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink, "_GIVEN_UP", -1.0)
    producer.is_stuck = True
    writer = made(producer, Stopping(2))

    with pytest.raises(StoppedError):
        writer.deliver(answers(1))

    assert writer.unready() is not None
