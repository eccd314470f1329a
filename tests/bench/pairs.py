"""Rounds: both sides take turns, so that other load on the machine affects them alike."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

Item = TypeVar("Item")

ROUNDS: Final = 5
"""The number of rounds of each pair."""


def round_count() -> int:
    """Return the number of rounds, which `make bench ROUNDS=n` may change."""
    return int(os.environ.get("ROUNDS") or ROUNDS)


def rounds(what: str, most: int = ROUNDS) -> Iterator[int]:
    """Count the rounds from 1, at most to `most`, and print the one that begins."""
    count = min(most, round_count())
    for number in range(1, count + 1):
        print(f"  {what}: round {number} of {count}", flush=True)
        yield number


def take_turns(
    what: str, sides: Mapping[str, Callable[[], float]], most: int = ROUNDS
) -> dict[str, list[float]]:
    """Return each side's value in each round, measured in turns: ours, theirs, ours, theirs, ..."""
    values: dict[str, list[float]] = {name: [] for name in sides}
    for _ in rounds(what, most):
        for name, measure in sides.items():
            values[name].append(measure())
    return values


def cost(work: Callable[[Item], object], items: Sequence[Item]) -> float:
    """Return the processor time in ms that this thread spends on each item."""
    begun = time.thread_time()
    for item in items:
        work(item)
    return 1000 * (time.thread_time() - begun) / len(items)
