"""Sets of numbers as sorted ranges, each with its first and its last number."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

Ranges = list[tuple[int, int]]


def count(ranges: Iterable[tuple[int, int]]) -> int:
    """Return how many numbers there are."""
    return sum(last - first + 1 for first, last in ranges)


def union(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Return the numbers of any ranges, which may overlap."""
    found: Ranges = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return found


def without(ranges: Sequence[tuple[int, int]], others: Sequence[tuple[int, int]]) -> Ranges:
    """Return the numbers that are not among others; both are sorted and do not overlap."""
    found: Ranges = []
    place = 0
    for begin, last in ranges:
        first = begin
        while place < len(others) and others[place][1] < first:
            place += 1
        index = place
        while index < len(others) and others[index][0] <= last and first <= last:
            if others[index][0] > first:
                found.append((first, others[index][0] - 1))
            first = others[index][1] + 1
            index += 1
        if first <= last:
            found.append((first, last))
    return found


def gaps(ranges: Sequence[tuple[int, int]]) -> Ranges:
    """Return the numbers between the first and the last that are not there."""
    return [(before[1] + 1, after[0] - 1) for before, after in pairwise(ranges) if after[0] > before[1] + 1]


def split(ranges: Iterable[tuple[int, int]], first: int, last: int) -> tuple[Ranges, Ranges, Ranges]:
    """Return the numbers below `first`, those from `first` to `last`, and those above."""
    below, between, above = [], [], []
    for begin, end in ranges:
        if begin < first:
            below.append((begin, min(end, first - 1)))
        if begin <= last and end >= first:
            between.append((max(begin, first), min(end, last)))
        if end > last:
            above.append((max(begin, last + 1), end))
    return below, between, above
