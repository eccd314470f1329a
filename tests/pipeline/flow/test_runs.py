from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.flow.runs import MOST_RANGES, MOST_RUNS, Runs
from tests.clock import Clock


def ranges_of(runs: Runs, name: str = "a") -> list[list[int]]:
    return runs.report(0.0)[name]["ranges"]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40))
def test_ranges_hold_exactly_the_numbers_that_were_added(numbers: list[int]) -> None:
    runs = Runs()
    for number in numbers:
        runs.add("a", number)

    ranges = ranges_of(runs)
    assert [number for first, last, _ in ranges for number in range(first, last + 1)] == sorted(set(numbers))
    assert all(before[1] + 1 < after[0] for before, after in pairwise(ranges))
    assert runs.again == len(numbers) - len(set(numbers))


def test_a_range_says_whether_reading_began_anew() -> None:
    runs = Runs()
    for number, epoch in ((5, 0), (6, 1), (8, 1), (10, 2), (12, 2)):
        runs.add("a", number, epoch)

    assert ranges_of(runs) == [[5, 6, 1], [8, 8, 0], [10, 10, 1], [12, 12, 0]]


def test_runs_alternate() -> None:
    runs = Runs()
    for name, number in (("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 3)):
        runs.add(name, number)

    assert ranges_of(runs, "a") == [[0, 1, 1], [3, 3, 0]]
    assert ranges_of(runs, "b") == [[0, 1, 1]]


@pytest.mark.exceeds("pipeline.flow.runs.MOST_RANGES")
def test_the_first_of_too_many_ranges_makes_room() -> None:
    runs = Runs()
    for number in range(MOST_RANGES + 1):
        runs.add("a", 2 * number)

    ranges = ranges_of(runs)
    assert len(ranges) == MOST_RANGES
    assert ranges[0] == [2, 2, 1], "what was before it is not known"


@pytest.mark.exceeds("pipeline.flow.runs.MOST_RUNS")
def test_the_run_that_has_been_silent_longest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("pipeline.flow.runs.time", clock)
    runs = Runs()
    for number in range(MOST_RUNS):
        runs.add(f"run{number}", 0)
        clock.sleep(1)
    runs.add("run0", 1)
    clock.sleep(1)
    runs.add("new", 0)

    assert runs.report(0.0).keys() == {"new", *(f"run{each}" for each in range(MOST_RUNS) if each != 1)}
