"""How long a camera may be silent, relative to its own rate."""

import pytest

from pipeline.flow.patience import patience, usual_gap


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ([], 5),
        ([0.04] * 30, 5),
        ([10], 30),
        ([10, 10, 10], 30),
        ([9, 10, 11], 30),
        ([0.04] * 29 + [600], 5),
        ([0.04] * 10 + [9, 0.04, 9], 27),
        ([50, 50], 120),
    ],
)
def test_it_is_three_times_the_longest_gap_but_one(gaps: list[float], expected: float) -> None:
    assert patience(gaps, 5) == expected


def test_a_longer_time_that_was_set_is_kept() -> None:
    assert patience([100, 100], 600) == 600


@pytest.mark.parametrize(
    ("gaps", "interval", "expected"),
    [([], 0.04, 5), ([], 10, 30), ([], 60, 180), ([], 3600, 3720), ([20, 20], 10, 60), ([0.04], 10, 30)],
)
def test_a_known_interval_counts_before_there_is_a_gap(
    gaps: list[float], interval: float, expected: float
) -> None:
    assert patience(gaps, 5, interval) == expected


@pytest.mark.parametrize(("gaps", "gap"), [([], 0), ([10], 10), ([10, 600, 9], 10)])
def test_the_usual_gap_is_the_longest_but_one(gaps: list[float], gap: float) -> None:
    assert usual_gap(gaps) == gap
