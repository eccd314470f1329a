from typing import Any

import pytest
from confluent_kafka import KafkaError

from pipeline.kafka.causes import Causes
from tests.training.inference.fakes import FakeConsumer, FakeMessage, messages, topic
from training.inference import source
from training.inference.source import Source


@pytest.fixture
def consumer() -> FakeConsumer:
    return FakeConsumer()


@pytest.fixture
def reader(consumer: FakeConsumer, monkeypatch: pytest.MonkeyPatch) -> Source:
    """A source that has joined its group, and takes four messages at most."""
    monkeypatch.setattr(source, "_AGAIN", 0.0)
    monkeypatch.setattr(source, "_PATIENCE", 0.05)
    found = Source(consumer, topic(), 4, Causes("kafka:9092"))  # type: ignore[arg-type]
    found.begin()
    consumer.assign(0, 1)
    return found


def test_it_joins_the_group_once(reader: Source, consumer: FakeConsumer) -> None:
    reader.begin()

    assert consumer.subscribed == [["in"]]


def test_it_joins_the_group_once_kafka_answers(consumer: FakeConsumer) -> None:
    consumer.topics = None
    reader = Source(consumer, topic(), 4, Causes("kafka:9092"))  # type: ignore[arg-type]

    reader.begin()
    assert consumer.subscribed == []

    consumer.topics = {"in": 1}
    reader.begin()
    assert consumer.subscribed == [["in"]]


@pytest.mark.parametrize(("replicas", "idle"), [(2, 0), (5, 3)])
def test_replicas_without_a_partition_are_named(
    replicas: int, idle: int, consumer: FakeConsumer, caplog: pytest.LogCaptureFixture
) -> None:
    Source(consumer, topic(replicas), 4, Causes("kafka:9092")).begin()  # type: ignore[arg-type]

    says = f"topic in has 2 partitions, so {idle} of {replicas} replicas have nothing to do: give it more"
    assert (says in caplog.text) == bool(idle)


def test_a_client_that_was_replaced_joins_again(reader: Source, consumer: FakeConsumer) -> None:
    consumer.coming = messages(b"x")
    consumer.on_poll = consumer.on_replace

    assert len(reader.take()) == 1

    assert consumer.subscribed == [["in"], ["in"]]
    assert reader.gone == {("in", 0), ("in", 1)}


def test_all_that_waits_is_taken_at_once_up_to_a_limit(reader: Source, consumer: FakeConsumer) -> None:
    sent = messages(*[b"x"] * 6)
    consumer.coming = [*sent]

    assert [reader.take(), reader.take(), reader.take()] == [sent[:4], sent[4:], []]


def test_a_limit_of_one(consumer: FakeConsumer) -> None:
    single = Source(consumer, topic(), 1, Causes("kafka:9092"))  # type: ignore[arg-type]
    sent = messages(b"x", b"y")
    consumer.coming = [*sent]

    assert [single.take(), single.take()] == [sent[:1], sent[1:]]


def test_messages_of_a_partition_that_another_replica_has_now_are_left_to_it(
    reader: Source, consumer: FakeConsumer
) -> None:
    kept, gone = messages(b"x", b"y"), messages(b"z", partition=1)
    consumer.coming = [*gone, *kept]
    consumer.on_consume = lambda: consumer.revoke(1)

    assert reader.take() == kept
    assert reader.gone == {("in", 1)}

    assert reader.take() == []
    assert reader.gone == set()


def test_a_partition_that_came_before_its_messages_is_read(reader: Source, consumer: FakeConsumer) -> None:
    consumer.revoke(0)
    consumer.assign(0)
    sent = messages(b"x", b"y")
    consumer.coming = [*sent]

    assert reader.take() == sent


def test_reading_goes_on_behind_what_was_committed(reader: Source, consumer: FakeConsumer) -> None:
    reader.commit([*messages(b"x", b"y", start=7), *messages(b"z", start=3, partition=1)])

    assert consumer.committed == {("in", 0): 9, ("in", 1): 4}


def test_a_commit_that_fails_is_repeated(reader: Source, consumer: FakeConsumer) -> None:
    consumer.failures = [KafkaError(KafkaError._WAIT_COORD), KafkaError(KafkaError._TIMED_OUT)]

    reader.commit(messages(b"x"))

    assert consumer.committed == {("in", 0): 1}


@pytest.mark.parametrize("code", [KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID])
def test_what_others_have_now_is_not_committed(
    code: int, reader: Source, consumer: FakeConsumer, caplog: pytest.LogCaptureFixture
) -> None:
    consumer.failures = [KafkaError(code), KafkaError(code)]

    reader.commit(messages(b"x"))

    assert consumer.committed == {}
    assert len(consumer.failures) == 1
    assert "may be answered again" in caplog.text


def test_a_commit_is_given_up_after_a_while(reader: Source, consumer: FakeConsumer) -> None:
    consumer.failures = [KafkaError(KafkaError._WAIT_COORD)] * 10_000_000

    reader.commit(messages(b"x"))

    assert consumer.committed == {}


def test_an_error_in_place_of_a_message_is_why_it_is_not_ready(
    reader: Source, consumer: FakeConsumer
) -> None:
    assert reader.unready() is None
    error: Any = FakeMessage(0, None, error=KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))
    end: Any = FakeMessage(0, None, error=KafkaError(KafkaError._PARTITION_EOF))
    consumer.coming = [error, end]

    assert reader.take() == []
    assert "does not permit this user to read topic in" in (reader.unready() or "")

    sent = messages(b"x")
    consumer.coming = [*sent]
    assert reader.take() == sent
    assert reader.unready() is None


def test_it_knows_how_many_messages_wait(reader: Source, consumer: FakeConsumer) -> None:
    assert reader.waiting is None

    reader.take()

    assert reader.waiting == 2 + 3
    reader.close()
    assert consumer.is_closed
