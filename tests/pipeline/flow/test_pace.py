from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.flow.pace import Pace

intervals = st.sampled_from([0.001, 0.042, 1.0, 60.0])
starts = st.floats(0, 1e6)


@given(intervals, starts, st.lists(st.floats(0, 3), min_size=1, max_size=200))
def test_within_any_time_no_more_are_due_than_the_rate_allows(
    interval: float, start: float, gaps: list[float]
) -> None:
    pace = Pace(interval)
    times = [start + interval * gap for gap in accumulate(gaps)]

    due = [now for now in times if pace.due(now)]

    # One for the interval that begins, one after a pause, and half an interval of earliness.
    for first in range(len(due)):
        for last in range(first, len(due)):
            assert last - first + 1 <= (due[last] - due[first]) / interval + 2.5 + 1e-3


@given(intervals, starts, st.floats(0.1, 1.2), st.integers(200, 400))
def test_a_faster_stream_is_thinned_out_to_the_rate(
    interval: float, start: float, gap: float, count: int
) -> None:
    pace = Pace(interval)
    times = [start + number * gap * interval for number in range(count)]

    due = sum(pace.due(now) for now in times)

    wanted = min(count, count * gap)
    assert wanted - 2 <= due <= wanted + 2.5


@given(intervals, starts, st.lists(st.floats(-0.49, 0.49), min_size=1, max_size=300))
def test_a_stream_at_the_rate_keeps_its_frames_however_unevenly_they_arrive(
    interval: float, start: float, jitters: list[float]
) -> None:
    pace = Pace(interval)

    due = [pace.due(start + (number + 1 + jitter) * interval) for number, jitter in enumerate(jitters)]

    assert all(due)


@given(intervals, starts, st.lists(st.floats(1, 100), min_size=1, max_size=100))
def test_a_slower_stream_keeps_its_frames(interval: float, start: float, gaps: list[float]) -> None:
    pace = Pace(interval)

    due = [pace.due(start + interval * gap) for gap in accumulate(gaps)]

    assert all(due)


@pytest.mark.parametrize(("earliness", "due"), [(0.51, False), (0.49, True), (0.11, True), (0.0, True)])
def test_a_frame_may_come_half_an_interval_early(earliness: float, due: bool) -> None:
    pace = Pace(1.0)
    for _ in range(2):  # the one after the pause, and the one for which it makes room
        assert pace.due(1000.0)

    assert pace.due(1001.0 - earliness) is due


@pytest.mark.parametrize("begin", [-1e6, 0.0, 1.0, 1e6])
def test_it_does_not_matter_where_the_clock_begins(begin: float) -> None:
    pace = Pace(60.0)

    due = [pace.due(begin + seconds) for seconds in range(0, 136, 17)]

    assert due == [True, True, True, False, False, False, True, False]


def test_a_long_pause_is_not_caught_up() -> None:
    pace = Pace(1.0)
    pace.due(0.0)

    due = sum(pace.due(1000 + number / 100) for number in range(100))

    assert due == 3  # in a second: the first, the one that may come early, and the next


@pytest.mark.parametrize(
    ("rate", "wanted", "kept"), [(100, 25, 25), (30, 25, 25), (25, 25, 25), (10, 25, 10)]
)
def test_a_cameras_rate_is_reduced_to_the_given_one(rate: int, wanted: int, kept: int) -> None:
    pace = Pace(1 / wanted)

    due = sum(pace.due(100 + number / rate) for number in range(rate * 60))

    assert kept * 60 <= due <= kept * 60 + 2
