"""How often one may fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.access import limit
from pipeline.access.limit import Limit


def test_the_first_failures_cost_nothing_then_each_doubles_the_wait() -> None:
    attempts = Limit(free=3, longest=8)
    waits = []

    for _ in range(8):
        waits.append(attempts.wait("ann", 100))
        attempts.failed("ann", 100)

    assert waits == [0, 0, 0, 1, 2, 4, 8, 8]


def test_a_wait_passes() -> None:
    attempts = Limit(free=1, longest=60)
    attempts.failed("ann", 100)

    assert attempts.wait("ann", 100.25) == 0.75
    assert attempts.wait("ann", 101) == 0


def test_forgiven_failures_are_forgotten_and_so_are_old_ones() -> None:
    attempts = Limit(free=1, longest=60)
    for key in ("ann", "bob", "bob"):
        attempts.failed(key, 100)
    attempts.forgive("ann", 1)
    attempts.forgive("bob", 1)
    attempts.forgive("eve", 1)

    assert attempts.wait("ann", 100) == 0
    assert attempts.wait("bob", 100) == 1

    attempts.failed("bob", 100 + 900)
    assert attempts.wait("bob", 100 + 900) == 1


def test_one_does_not_wait_for_another() -> None:
    attempts = Limit(free=1, longest=60)
    attempts.failed("ann", 100)

    assert attempts.wait("bob", 100) == 0


def test_only_so_many_are_remembered_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit, "_MOST", 3)
    attempts = Limit(free=1, longest=60)

    for key in ("a", "b", "c", "a", "d"):
        attempts.failed(key, 100)

    assert [key for key in "abcd" if attempts.wait(key, 100)] == ["a", "c", "d"]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 2000), st.booleans())))
def test_a_wait_is_never_longer_than_the_longest(steps: list[tuple[str, float, bool]]) -> None:
    attempts = Limit(free=2, longest=10)
    now = 0.0

    for key, passed, success in steps:
        now += passed
        assert 0 <= attempts.wait(key, now) <= 10
        if success:
            attempts.forgive(key, 2)
        else:
            attempts.failed(key, now)


def test_thousands_of_failures_are_as_one() -> None:
    attempts = Limit(free=1, longest=60)

    for _ in range(5000):
        attempts.failed("ann", 100)

    assert attempts.wait("ann", 100) == 60
