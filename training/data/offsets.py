"""What Kafka has of ranges: whether all of it is there, not yet there, or no longer."""

from collections.abc import Sequence
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from pipeline.kafka.causes import topic_cause
from training.data.errors import DataError, DeletedError
from training.data.ranges import Range, write

_ANSWER: Final = 10.0  # s


def unfilled(consumer: Consumer, ranges: Sequence[Range]) -> str | None:
    """Return what the ranges wait for, in one line; None once Kafka has all of their messages.

    Raises `DataError` if a topic or a partition is missing, `DeletedError` if messages are no longer there,
    and `KafkaException` if Kafka does not answer.
    """
    for topic in dict.fromkeys(each.topic for each in ranges):
        _check_topic(consumer, topic, [each for each in ranges if each.topic == topic])
    places = {(each.topic, each.partition): each for each in ranges}
    marks = {place: _marks(consumer, each) for place, each in places.items()}
    low = {place: mark[0] for place, mark in marks.items()}
    if deleted := [each for each in ranges if low[each.topic, each.partition] > each.start]:
        raise _deleted(ranges, deleted[0], low)
    for each in ranges:
        end = marks[each.topic, each.partition][1]
        if end < each.end:
            return (
                f"topic {each.topic}, partition {each.partition} ends at offset {end}, expected {each.end}:"
                f" waiting for {each.end - max(end, each.start)} of {len(each)} messages"
            )
    return None


def _check_topic(consumer: Consumer, topic: str, ranges: Sequence[Range]) -> None:
    # The consumer must not create topics.
    found = consumer.list_topics(topic, timeout=_ANSWER).topics[topic]
    if found.error is not None:
        if found.error.code() < 0:
            raise KafkaException(found.error)
        if found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise DataError(
                f"range {ranges[0]}: there is no topic {topic}: correct its name, or send the data"
            )
        raise DataError(f"{topic_cause(found.error, topic, 'read')} (range {ranges[0]})")
    for each in ranges:
        if each.partition not in found.partitions:
            raise DataError(
                f"range {each}: topic {topic} has no partition {each.partition}, expected one of"
                f" {min(found.partitions)} to {max(found.partitions)}"
            )


def _marks(consumer: Consumer, of: Range) -> tuple[int, int]:
    """Return the first offset that Kafka has of a range's partition, and the one that it will write next."""
    marks = consumer.get_watermark_offsets(TopicPartition(of.topic, of.partition), timeout=_ANSWER)
    return int(marks[0]), int(marks[1])


def _deleted(ranges: Sequence[Range], first: Range, low: dict[tuple[str, int], int]) -> DeletedError:
    remaining = write(
        Range(each.topic, each.partition, max(each.start, low[each.topic, each.partition]), each.end)
        for each in ranges
        if low[each.topic, each.partition] < each.end
    )
    begin = low[first.topic, first.partition]
    what = f"train on what remains: {remaining}" if remaining else "nothing remains"
    return DeletedError(
        f"range {first}: Kafka has deleted offsets {first.start} to {min(begin, first.end) - 1} of topic"
        f" {first.topic}, partition {first.partition} (retention): send the data again, or {what}",
        remaining,
    )
