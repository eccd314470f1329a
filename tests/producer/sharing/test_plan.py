"""Which producer captures which camera."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.sharing import plan as module
from producer.sharing.plan import Plan, decode, encode, mark, renewed

CAMERAS = [f"camera {number}" for number in range(16)]


def made(cameras: list[str], *members: str, before: Plan = Plan()) -> Plan:  # noqa: B008
    return renewed(before, cameras, tuple(sorted(members)), members[0])


def moved(before: Plan, after: Plan) -> int:
    """Return how many cameras have another producer than before."""
    return sum(
        after.holders[each] != holder for each, holder in before.holders.items() if each in after.holders
    )


def sizes(plan: Plan) -> list[int]:
    counts = Counter(plan.holders.values())
    return sorted(counts[member] for member in plan.members)


def test_cameras_are_shared_evenly() -> None:
    assert sizes(made(CAMERAS, "a", "b", "c")) == [5, 5, 6]


def test_only_the_cameras_of_a_producer_that_goes_move() -> None:
    before = made(CAMERAS, "a", "b", "c")

    after = made(CAMERAS, "a", "b", before=before)

    assert sizes(after) == [8, 8]
    assert moved(before, after) == Counter(before.holders.values())["c"]


def test_a_producer_that_comes_gets_its_share_and_the_others_keep_theirs() -> None:
    before = made(CAMERAS, "a", "b", "c")

    after = made(CAMERAS, "a", "b", "c", "d", before=before)

    assert sizes(after) == [4, 4, 4, 4]
    assert moved(before, after) == 4


def test_no_camera_moves_when_another_is_added_or_removed() -> None:
    before = made(CAMERAS, "a", "b", "c")

    more = made([*CAMERAS, "new", "newer"], "a", "b", "c", before=before)
    fewer = made(CAMERAS[6:], "a", "b", "c", before=before)

    assert moved(before, more) == moved(before, fewer) == 0
    assert sizes(more) == [6, 6, 6]


names = st.lists(st.text("abcdefgh", min_size=1, max_size=4), min_size=1, max_size=8, unique=True)


@given(names, names, st.sets(st.text(min_size=1, max_size=5), max_size=30), st.sets(st.text(max_size=5)))
def test_whatever_changes_each_camera_has_one_producer(
    members: list[str], others: list[str], cameras: set[str], later: set[str]
) -> None:
    before = made(sorted(cameras), *members)

    after = made(sorted(later), *others, before=before)

    assert after.holders.keys() == {mark(each) for each in later}
    assert set(after.holders.values()) <= set(others)
    if set(members) != set(others):
        assert sizes(after)[-1] - sizes(after)[0] <= 1
    parts = [after.share(member, later) for member in others]
    assert sorted(each for part in parts for each in part) == sorted(later)


def test_a_plan_is_a_message() -> None:
    plan = made(CAMERAS, "host-1", "host-2")

    assert decode(encode(plan)) == plan


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"by": "a"}',
        b'{"by": "a", "shares": []}',
        b'{"by": "a", "shares": {"%": []}}',
        b'{"by": [], "shares": {}}',
        b'{"by": "a", "shares": {"a": 7}}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_anything_else_is_not_a_plan(value: bytes) -> None:
    assert decode(value) is None


@pytest.mark.exceeds("producer.sharing.plan.LARGEST")
def test_a_plan_that_is_too_large_is_not_read() -> None:
    value = encode(made(CAMERAS, "a"))

    assert decode(value.ljust(module.LARGEST)) is not None
    assert decode(value.ljust(1_000_001)) is None


def test_a_plan_of_the_most_cameras_is_not_too_large() -> None:
    cameras = [f"{number:0200}" for number in range(10_000)]

    assert len(encode(made(cameras, *(f"host-{number}" for number in range(100))))) < 200_000
