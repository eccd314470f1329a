"""Which frames of a camera came or went, by their numbers: ranges of numbers in each run of a writer."""

import time
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final, TypedDict

MOST_RUNS: Final = 16
"""The most runs that are kept of a camera; the one that has been silent longest makes room."""

MOST_RANGES: Final = 64
"""The most ranges that are kept of a run; the first one makes room."""


class Run(TypedDict):
    """How long ago in s the last number was added, and the ranges in order.

    A range has its first number, its last one, and 1 if reading began again with it; otherwise 0: what is
    missing before it was not there to be read.
    """

    age: float
    ranges: list[list[int]]


@dataclass(slots=True)
class _Run:
    at: float
    ranges: list[list[int]] = field(default_factory=list)


class Runs:
    """The numbers of one camera's frames."""

    __slots__ = ("_current", "_epoch", "_name", "_newest", "_runs", "again")

    def __init__(self) -> None:
        self.again = 0
        """How many numbers were added that were there already."""
        self._runs: dict[str, _Run] = {}
        self._name = ""  # of the run to which a number was added last
        self._current = _Run(0.0)
        self._newest = [0, -2, 1]  # its last range
        self._epoch = -1

    def add(self, run: str, number: int, epoch: int = 0) -> None:
        """Add a number; a new `epoch` means that counting has begun again since the last one."""
        newest = self._newest
        if number == newest[1] + 1 and run == self._name:
            newest[1] = number
            self._current.at = time.monotonic()
        else:
            self._add(run, number, begins=epoch != self._epoch)
        self._epoch = epoch

    def report(self, now: float) -> dict[str, Run]:
        """Return all runs, at a time of the monotonic clock."""
        return {
            name: {"age": round(max(0.0, now - run.at), 3), "ranges": [each.copy() for each in run.ranges]}
            for name, run in self._runs.items()
        }

    def _add(self, name: str, number: int, *, begins: bool) -> None:
        run = self._runs.get(name)
        if run is None:
            if len(self._runs) >= MOST_RUNS:
                del self._runs[min(self._runs, key=lambda each: self._runs[each].at)]
            run = self._runs[name] = _Run(0.0)
        run.at = time.monotonic()
        self.again += not _insert(run.ranges, number, begins=begins)
        if len(run.ranges) > MOST_RANGES:
            del run.ranges[0]
            run.ranges[0][2] = 1
        self._name, self._current, self._newest = name, run, run.ranges[-1]


def _insert(ranges: list[list[int]], number: int, *, begins: bool) -> bool:
    """Insert a number; return False if it is there already."""
    place = bisect_right(ranges, number, key=lambda each: each[0])
    before = ranges[place - 1] if place else None
    after = ranges[place] if place < len(ranges) else None
    if before is not None and number <= before[1]:
        return False
    joins_before = before is not None and number == before[1] + 1
    joins_after = after is not None and number == after[0] - 1
    if before is not None and joins_before:
        before[1] = number
        if after is not None and joins_after:
            before[1] = after[1]
            del ranges[place]
    elif after is not None and joins_after:
        after[0] = number
    else:
        is_new = begins or before is None
        ranges.insert(place, [number, number, int(is_new if after is None else after[2])])
    return True
