from hypothesis import given
from hypothesis import strategies as st

from pipeline.ledger import ranges
from pipeline.ledger.ranges import Ranges

some = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)).map(lambda pair: (pair[0], sum(pair))))


def numbers(found: Ranges) -> set[int]:
    return {number for first, last in found for number in range(first, last + 1)}


@given(some, some)
def test_ranges_are_sets_of_numbers(one: Ranges, other: Ranges) -> None:
    left, right = ranges.union(one), ranges.union(other)

    assert numbers(left) == numbers(one)
    assert ranges.count(left) == len(numbers(one))
    assert numbers(ranges.without(left, right)) == numbers(one) - numbers(other)
    assert ranges.count(ranges.without(left, right)) == len(numbers(one) - numbers(other))


@given(some, st.integers(0, 40), st.integers(0, 40))
def test_ranges_are_split_at_two_numbers(one: Ranges, first: int, size: int) -> None:
    found, last = ranges.union(one), first + size

    below, between, above = map(numbers, ranges.split(found, first, last))

    assert below == {each for each in numbers(one) if each < first}
    assert between == {each for each in numbers(one) if first <= each <= last}
    assert above == {each for each in numbers(one) if each > last}


@given(some.filter(bool))
def test_gaps_are_what_is_missing_between_the_ends(one: Ranges) -> None:
    present = numbers(one)

    gaps = numbers(ranges.gaps(ranges.union(one)))

    assert gaps == set(range(min(present), max(present))) - present
