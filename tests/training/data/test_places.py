"""The order of a stream."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.places import stream_order

COUNTS = st.lists(st.integers(0, 50), min_size=1, max_size=6)


@given(COUNTS)
def test_each_message_has_a_place_and_those_of_a_range_keep_their_order(counts: list[int]) -> None:
    places = stream_order(counts)

    assert [len(each) for each in places] == counts
    assert sorted(np.concatenate(places).tolist()) == list(range(sum(counts)))
    assert all((np.diff(each) > 0).all() for each in places)


@given(st.integers(1, 7), st.integers(1, 60))
def test_what_was_sent_to_partitions_in_turn_keeps_its_order(partitions: int, count: int) -> None:
    sent = [list(range(first, count, partitions)) for first in range(partitions)]

    places = stream_order([len(each) for each in sent])

    order = np.empty(count, int)
    for numbers, where in zip(sent, places, strict=True):
        order[where] = numbers
    assert order.tolist() == list(range(count))


@pytest.mark.parametrize("counts", [(100, 300), (7, 0, 93), (40, 50, 60, 1)], ids=str)
def test_a_part_of_the_stream_holds_as_large_a_part_of_each_range(counts: Sequence[int]) -> None:
    """Partitions with a label each do not end up one behind the other."""
    for count, places in zip(counts, stream_order(counts), strict=True):
        for share in (0.1, 0.5, 0.9):
            assert abs((places < share * sum(counts)).sum() - share * count) <= 1
