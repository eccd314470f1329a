"""Ranges and their notation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.ranges import Range, parse, write

OFFSETS = st.integers(0, 2**63 - 1)
RANGES = st.builds(
    lambda topic, partition, offsets: Range(topic, partition, min(offsets), max(offsets)),
    st.from_regex(r"[a-zA-Z0-9_-]{1,20}", fullmatch=True),
    st.integers(0, 2**31 - 1),
    st.tuples(OFFSETS, OFFSETS),
)


def test_the_notation_is_kafka_mls() -> None:
    """As a sink of Kafka-ML wrote it."""
    ranges = parse("automl:0:0:4,automl:1:0:10,automl:2:0:4,automl:3:0:2")

    assert ranges[1] == Range("automl", 1, 0, 10)
    assert [len(each) for each in ranges] == [4, 10, 4, 2]


def test_a_range_may_be_empty() -> None:
    assert [len(each) for each in parse("f64:1:0:0, f64:2:7:7")] == [0, 0]


@given(st.lists(RANGES, min_size=1, unique_by=lambda each: (each.topic, each.partition)))
def test_what_is_written_is_read(ranges: list[Range]) -> None:
    assert parse(write(ranges)) == tuple(ranges)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "expected topic:partition:start:end"),
        ("digits", "expected topic:partition:start:end"),
        ("digits:0:0", "expected topic:partition:start:end"),
        ("digits:0:0:5:6", "expected topic:partition:start:end"),
        ("digits:0:-1:5", "expected topic:partition:start:end"),
        ("digits:0:0:٣", "expected topic:partition:start:end"),
        ("digits:0:0:5,", "expected topic:partition:start:end"),
        ("no topic:0:0:5", "expected a topic's name"),
        (":0:0:5", "expected a topic's name"),
        ("digits:0:6:5", "an offset, not a length"),
        ("a:0:5:9,b:0:5:9,a:0:0:6", "ranges a:0:0:6 and a:0:5:9 overlap"),
        ("digits:0:0:9,digits:0:3:5", "overlap: expected each message once"),
        ("digits:2147483648:0:5", "a partition up to"),
        (f"digits:0:0:{2**63}", "offsets up to"),
        ("digits:0:0:" + "9" * 5000, "offsets up to"),
    ],
    ids=lambda text: text[:40],
)
def test_other_texts_are_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse(text)


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        ranges = parse(text)
    except ValueError:
        return
    assert all(each.start <= each.end for each in ranges)
