"""Which of the messages that come are in a range."""

import numpy as np
import pytest
from confluent_kafka import Message

from training.data.cursor import Cursor
from training.data.ranges import Range


def taken(cursor: Cursor, *offsets: int) -> list[tuple[int | None, int]]:
    messages, places = cursor.cut([Message(topic="digits", partition=0, offset=each) for each in offsets])
    return [(each.offset(), int(place)) for each, place in zip(messages, places, strict=True)]


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        ([10, 11, 12], [(10, 0), (11, 1), (12, 2)]),
        ([12, 13, 14, 15], [(12, 2), (13, 3)]),
        ([11, 13, 20], [(11, 1), (13, 3)]),
        ([8, 9, 10], [(10, 0)]),
        ([14, 15], []),
        ([3], []),
    ],
    ids=str,
)
def test_messages_in_the_range_get_their_places(offsets: list[int], expected: list[tuple[int, int]]) -> None:
    cursor = Cursor(Range("digits", 0, 10, 14), np.arange(4), 10)

    assert taken(cursor, *offsets) == expected
    assert cursor.is_done == (max(offsets) >= 13)


def test_no_message_is_taken_twice() -> None:
    """A client that has connected again may send some again."""
    cursor = Cursor(Range("digits", 0, 10, 14), np.array([7, 3, 1, 0]), 10)

    assert taken(cursor, 10, 11) == [(10, 7), (11, 3)]
    assert taken(cursor, 11, 12, 13) == [(12, 1), (13, 0)]
    assert cursor.is_done
