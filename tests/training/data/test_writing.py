"""Messages are written evenly, and none is lost; Kafka is a stand-in."""

from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError

from pipeline.kafka import clients
from tests.training.kafka import AWAY, DENIED, MISSING, FakeKafka
from training.data import writing
from training.data.ranges import Range
from training.data.writing import SendError, Writer

TOO_LARGE = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
LARGER = "a message is larger than topic digits accepts: raise its max.message.bytes"


@pytest.fixture
def kafka() -> Iterator[FakeKafka]:
    found = FakeKafka()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "consumer", found.consumer)
        patch.setattr(clients, "producer", found.producer)
        patch.setattr(writing, "time", found.clock)
        yield found


def values(kafka: FakeKafka, topic: str) -> list[list[bytes | None]]:
    """Return the values in each partition."""
    return [[each.value() for each in found.messages.values()] for found in kafka.topics[topic]]


def test_messages_go_to_the_partitions_in_turn(kafka: FakeKafka) -> None:
    kafka.add("digits", 3)
    kafka.write("digits", b"of another", None, 1)
    writer = Writer("kafka:9092", "digits")
    for number in range(7):
        writer.write(bytes([number]), b"key")

    assert writer.finish() == (Range("digits", 0, 0, 3), Range("digits", 1, 1, 3), Range("digits", 2, 0, 2))

    assert values(kafka, "digits") == [[b"\0", b"\3", b"\6"], [b"of another", b"\1", b"\4"], [b"\2", b"\5"]]
    assert kafka.topics["digits"][2].messages[0].key() == b"key"
    writer.close()
    assert kafka.producers[0].is_purged
    assert kafka.consumers[0].is_closed


def test_messages_have_the_headers_that_are_given(kafka: FakeKafka) -> None:
    kafka.add("digits")
    writer = Writer("kafka:9092", "digits")

    writer.write(b"1", b"", {"digit": b"a1"})
    writer.write(b"2", b"")

    assert kafka.producers[0].headers == [{"digit": b"a1"}, {}]


def test_a_topic_that_is_missing_is_created_and_waited_for(kafka: FakeKafka) -> None:
    assert kafka.topics == {}
    writer = Writer("kafka:9092", "digits")
    writer.write(b"1", b"")

    assert writer.finish() == (Range("digits", 0, 0, 1), Range("digits", 1, 0, 0))


def test_progress_is_reported_twice_a_second(kafka: FakeKafka) -> None:
    kafka.add("digits")
    counts = list[tuple[int, int]]()
    writer = Writer("kafka:9092", "digits", progress=lambda *given: counts.append(given))

    for _ in range(10):
        kafka.clock.now += 0.2
        writer.write(b"1", b"")
    assert counts == [(3, 3), (6, 6), (9, 9)]

    writer.finish()
    assert counts[-1] == (10, 10)


def test_a_full_queue_is_waited_for(kafka: FakeKafka) -> None:
    kafka.add("digits")
    writer = Writer("kafka:9092", "digits")
    kafka.producers[0].is_full = 3

    writer.write(b"1", b"")

    assert writer.finish() == (Range("digits", 0, 0, 1),)


@pytest.mark.parametrize(
    ("error", "reason", "waited"),
    [
        (DENIED, "does not permit this user to write topic digits", 0),
        (MISSING, "topic digits does not exist, and Kafka does not create it", 30),
        (AWAY, "topic digits: Kafka does not answer", 30),
    ],
    ids=["denied", "missing", "away"],
)
def test_a_topic_that_cannot_be_used_is_a_reason(
    kafka: FakeKafka, error: KafkaError, reason: str, waited: float
) -> None:
    kafka.errors["digits"] = error
    begin = kafka.clock.now

    with pytest.raises(SendError, match=reason):
        Writer("kafka:9092", "digits")

    assert kafka.clock.now - begin == pytest.approx(waited, abs=0.2)


def test_the_end_of_a_topic_is_asked_for_again(kafka: FakeKafka) -> None:
    kafka.add("digits")
    kafka.troubles.extend([AWAY] * 5)
    writer = Writer("kafka:9092", "digits")
    writer.write(b"1", b"")
    kafka.troubles.extend([AWAY] * 5)

    assert writer.finish() == (Range("digits", 0, 0, 1),)


def test_a_message_that_kafka_does_not_take_ends_the_writing(kafka: FakeKafka) -> None:
    kafka.add("digits")
    writer = Writer("kafka:9092", "digits")
    kafka.producers[0].refuses.append(TOO_LARGE)
    writer.write(b"1", b"")

    for act in (lambda: writer.write(b"2", b""), writer.finish):
        with pytest.raises(SendError, match=LARGER):
            act()

    assert values(kafka, "digits") == [[]]


def test_of_several_troubles_the_first_is_the_reason(kafka: FakeKafka) -> None:
    kafka.add("digits")
    writer = Writer("kafka:9092", "digits")
    kafka.producers[0].is_slow = True
    kafka.producers[0].refuses.extend([DENIED, AWAY])
    for _ in range(2):
        writer.write(b"1", b"")

    with pytest.raises(SendError, match="does not permit"):
        writer.finish()


def test_a_message_that_cannot_be_produced_is_a_reason(kafka: FakeKafka) -> None:
    kafka.add("digits")
    writer = Writer("kafka:9092", "digits")
    kafka.troubles.append(TOO_LARGE)

    with pytest.raises(SendError, match=LARGER):
        writer.write(b"1", b"")


def test_messages_that_were_dropped_are_missed(kafka: FakeKafka) -> None:
    """As by librdkafka when its client is closed meanwhile."""
    kafka.add("digits")
    writer = Writer("kafka:9092", "digits")
    kafka.producers[0].is_slow = True
    for _ in range(3):
        writer.write(b"1", b"")
    kafka.producers[0].purge()

    with pytest.raises(SendError, match="topic digits: Kafka has 0 of 3 messages"):
        writer.finish()
