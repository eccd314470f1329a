"""Exactly the given ranges are read; Kafka is a stand-in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from confluent_kafka import KafkaError
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kafka import clients
from tests.training.kafka import AWAY, DENIED, FakeKafka, event
from training.data import formats, reading
from training.data.errors import DataError, DeletedError
from training.data.ranges import Range
from training.data.samples import Samples

NUMBERS = formats.decoder(
    "RAW", {"data_type": "int32", "label_type": "uint8", "data_reshape": "1", "label_reshape": ""}
)


class World:
    """A Kafka, and what a reading reports."""

    def __init__(self) -> None:
        self.kafka = FakeKafka()
        self.clock = self.kafka.clock
        self.reasons = list[str]()
        self.counts = list[tuple[int, int]]()

    def write(self, topic: str, numbers: range, partition: int = 0) -> None:
        """Write numbers, each with its last digit as its label."""
        for number in numbers:
            self.kafka.write(topic, np.int32(number).tobytes(), bytes([number % 10]), partition)

    def read(self, *ranges: Range, **options: Any) -> Samples:
        options = {"waiting": self.reasons.append, **options}
        try:
            return reading.read(
                ranges, NUMBERS, "kafka:9092", progress=lambda *counts: self.counts.append(counts), **options
            )
        finally:
            assert all(each.is_closed for each in self.kafka.consumers)

    def numbers(self, *ranges: Range, **options: Any) -> list[int]:
        samples = self.read(*ranges, **options)
        found: list[int] = samples.features[:, 0].tolist()
        assert samples.labels is not None
        assert samples.labels.tolist() == [number % 10 for number in found]
        return found


@pytest.fixture
def world() -> Iterator[World]:
    found = World()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "consumer", found.kafka.consumer)
        patch.setattr(reading, "time", found.clock)
        yield found


def test_exactly_the_ranges_are_read(world: World) -> None:
    """Empty ones, several of a partition, of several topics; with more messages before and behind."""
    first, second = world.kafka.add("first", 3), world.kafka.add("second")
    world.write(first, range(100), 0)
    world.write(first, range(100, 200), 2)
    world.write(second, range(200, 300))

    found = world.numbers(
        Range(first, 0, 90, 95),
        Range(first, 0, 10, 20),
        Range(first, 1, 0, 0),
        Range(first, 2, 99, 100),
        Range(second, 0, 0, 5),
        Range("missing", 0, 7, 7),
    )

    assert sorted(found) == [*range(10, 20), *range(90, 95), 199, *range(200, 205)]
    assert found != sorted(found), "mixed evenly"
    assert world.counts[-1] == (21, 21)


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(0, 30)).map(
            lambda parts: Range("digits", parts[0], min(parts[1:]), max(parts[1:]))
        ),
        min_size=1,
        max_size=5,
    ).filter(lambda ranges: sum(map(len, ranges)))
)
def test_any_ranges_are_read_in_the_order_of_the_stream(ranges: list[Range]) -> None:
    world = World()
    world.kafka.add("digits", 3)
    for partition in range(3):
        world.write("digits", range(100 * partition, 100 * partition + 30), partition)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "consumer", world.kafka.consumer)
        patch.setattr(reading, "_AT_ONCE", 7)

        found = world.numbers(*ranges)

    expected = [100 * each.partition + at for each in ranges for at in range(each.start, each.end)]
    assert sorted(found) == sorted(expected)
    if len(ranges) == 1:
        assert found == expected


def test_a_partition_is_asked_for_once_however_many_ranges_it_has(world: World) -> None:
    topic = world.kafka.add("digits", 2)
    for partition in range(2):
        world.write(topic, range(100), partition)

    world.numbers(*(Range(topic, number % 2, number, number + 1) for number in range(100)))

    assert world.kafka.asked == [(topic, 0), (topic, 1)]


def test_samples_beyond_the_memory_are_on_the_disk(world: World, tmp_path: Path) -> None:
    world.write(world.kafka.add("digits"), range(10))

    samples = world.read(Range("digits", 0, 0, 10), memory=0, folder=tmp_path)

    assert isinstance(samples.features.base, np.memmap)
    assert samples.features[:, 0].tolist() == list(range(10))


def test_progress_is_reported_meanwhile(world: World) -> None:
    world.write(world.kafka.add("digits"), range(500))
    world.kafka.between = lambda _: world.clock.sleep(1)

    world.read(Range("digits", 0, 0, 500))

    assert world.counts[0] == (64, 500)
    assert world.counts == sorted(world.counts)
    assert world.counts[-1] == (500, 500)


def test_offsets_without_messages_are_skipped(world: World) -> None:
    """As at the end of each transaction."""
    topic = world.kafka.add("digits")
    for number in range(3):
        world.write(topic, range(number, number + 1))
        world.kafka.skip(topic)

    assert world.numbers(Range(topic, 0, 0, 6)) == [0, 1, 2]
    assert world.counts[-1] == (6, 6)
    with pytest.raises(DataError, match="hold no samples"):
        world.read(Range(topic, 0, 5, 6))


def test_a_range_after_offsets_without_messages_is_read(world: World) -> None:
    topic = world.kafka.add("digits")
    world.write(topic, range(3))
    world.kafka.skip(topic)

    assert sorted(world.numbers(Range(topic, 0, 2, 4), Range(topic, 0, 0, 2))) == [0, 1, 2]


def test_a_range_that_is_not_full_is_waited_for(world: World) -> None:
    topic = world.kafka.add("digits")
    world.write(topic, range(7))

    def fill(reason: str) -> None:
        world.reasons.append(reason)
        world.write(topic, range(7, 12))

    assert world.numbers(Range(topic, 0, 2, 10), waiting=fill) == list(range(2, 10))
    assert world.reasons == [
        "topic digits, partition 0 ends at offset 7, expected 10: waiting for 3 of 8 messages"
    ]


def test_kafka_is_waited_for(world: World) -> None:
    world.write(world.kafka.add("digits"), range(3))
    world.kafka.troubles.extend([AWAY, AWAY])

    assert world.numbers(Range("digits", 0, 0, 3)) == [0, 1, 2]
    assert world.reasons == ["topic digits: Kafka does not answer"] * 2


def test_a_topic_without_a_leader_is_waited_for(world: World) -> None:
    world.write(world.kafka.add("digits"), range(3))
    world.kafka.errors["digits"] = AWAY

    def recover(reason: str) -> None:
        world.reasons.append(reason)
        world.kafka.errors.clear()

    assert world.numbers(Range("digits", 0, 0, 3), waiting=recover) == [0, 1, 2]
    assert world.reasons == ["topic digits: Kafka does not answer"]


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ([Range("missing", 0, 0, 1)], "range missing:0:0:1: there is no topic missing: correct its name"),
        (
            [Range("digits", 2, 0, 1)],
            "range digits:2:0:1: topic digits has no partition 2",
        ),
        ([Range("digits", 0, 5, 5)], "the ranges are empty"),
        ([], "the ranges are empty"),
    ],
    ids=["topic", "partition", "empty", "none"],
)
def test_ranges_that_cannot_be_are_reasons(world: World, wanted: list[Range], reason: str) -> None:
    world.kafka.add("digits", 2)

    with pytest.raises(DataError, match=reason):
        world.read(*wanted)


def test_a_topic_that_may_not_be_read_is_a_reason(world: World) -> None:
    world.kafka.add("digits")
    world.kafka.errors["digits"] = DENIED

    with pytest.raises(DataError, match="does not permit this user to read topic digits"):
        world.read(Range("digits", 0, 0, 1))


def test_messages_that_kafka_has_deleted_are_named_with_what_remains(world: World) -> None:
    topic = world.kafka.add("digits", 2)
    world.write(topic, range(100), 0)
    world.write(topic, range(100, 110), 1)
    world.kafka.delete(topic, 40)

    with pytest.raises(DeletedError, match="digits:0:10:90: Kafka has deleted offsets 10 to 39") as caught:
        world.read(Range(topic, 0, 10, 90), Range(topic, 0, 5, 20), Range(topic, 1, 0, 10))

    assert caught.value.remaining == "digits:0:40:90,digits:1:0:10"
    with pytest.raises(DeletedError, match="nothing remains"):
        world.read(Range(topic, 0, 5, 20))


def test_messages_that_kafka_deletes_meanwhile_are_named_too(world: World) -> None:
    """For the whole range, although some of it was read."""
    topic = world.kafka.add("digits")
    world.write(topic, range(500))

    def delete(_: Any) -> None:
        if world.counts:
            world.kafka.delete(topic, 300)
        world.clock.sleep(1)

    world.kafka.between = delete

    with pytest.raises(DeletedError, match="range digits:0:0:500: Kafka has deleted offsets 0 to 299"):
        world.read(Range(topic, 0, 0, 500))


def test_an_offset_that_kafka_does_not_know_is_a_reason(world: World) -> None:
    topic = world.kafka.add("digits")
    world.write(topic, range(5))
    world.kafka.between = lambda consumer: consumer.events.append(
        event(KafkaError.OFFSET_OUT_OF_RANGE, topic, 0)
    )

    with pytest.raises(DataError, match="range digits:0:0:5: Broker: Offset out of range"):
        world.read(Range(topic, 0, 0, 5))


def test_losing_the_right_to_read_is_a_reason(world: World) -> None:
    topic = world.kafka.add("digits")
    world.write(topic, range(5))
    world.kafka.between = lambda consumer: consumer.events.append(
        event(KafkaError.TOPIC_AUTHORIZATION_FAILED, topic, 0)
    )

    with pytest.raises(DataError, match="does not permit this user to read topic digits"):
        world.read(Range(topic, 0, 0, 5))


def test_errors_that_pass_or_come_late_change_nothing(world: World) -> None:
    topic = world.kafka.add("digits", 2)
    world.write(topic, range(100), 0)
    events = [
        event(KafkaError.TOPIC_AUTHORIZATION_FAILED, topic, 1),  # not read
        event(KafkaError._PARTITION_EOF, topic, 0, 0),
        event(KafkaError.GROUP_AUTHORIZATION_FAILED, topic, 0),
        event(KafkaError._TRANSPORT, topic, 0),
    ]

    def pass_by(consumer: Any) -> None:
        consumer.events.extend(events)
        events.clear()

    world.kafka.between = pass_by

    assert world.numbers(Range(topic, 0, 0, 100)) == list(range(100))


def test_silence_is_found_out(world: World) -> None:
    """Kafka has all, but sends nothing; then it is away; then all comes."""
    topic = world.kafka.add("digits")
    world.write(topic, range(5))
    world.kafka.is_silent = True

    def note(reason: str) -> None:
        world.reasons.append(reason)
        if len(world.reasons) == 1:
            world.kafka.troubles.append(AWAY)
        else:
            world.kafka.is_silent = False

    world.kafka.between = lambda _: world.clock.sleep(1)

    assert world.numbers(Range(topic, 0, 0, 5), waiting=note) == list(range(5))
    assert world.reasons == ["topic digits: Kafka sends no messages", "topic digits: Kafka does not answer"]


def test_waiting_and_progress_can_end_it(world: World) -> None:
    class EnoughError(Exception):
        pass

    def enough(*_: object) -> None:
        raise EnoughError

    topic = world.kafka.add("digits")
    with pytest.raises(EnoughError):
        world.read(Range(topic, 0, 0, 10**18), waiting=enough)

    world.write(topic, range(5))
    with pytest.raises(EnoughError):
        reading.read([Range(topic, 0, 0, 5)], NUMBERS, "kafka:9092", progress=enough)
    assert world.kafka.consumers[-1].is_closed


def test_a_message_that_does_not_fit_is_named(world: World) -> None:
    topic = world.kafka.add("digits", 2)
    world.write(topic, range(5), 1)
    world.kafka.write(topic, b"\1\2\3", b"\1", 1)

    with pytest.raises(DataError, match="topic digits, partition 1, offset 5: value: 3 bytes, expected 4"):
        world.read(Range(topic, 1, 0, 6))
    with pytest.raises(DataError, match="partition 1, offset 4: label: 4, expected 0 to 3"):
        world.read(Range(topic, 1, 0, 5), classes=4)
