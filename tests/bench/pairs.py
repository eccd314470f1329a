"""Rounds: what is compared takes turns, so that whatever else the machine does meets both sides alike."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

Item = TypeVar("Item")

ROUNDS: Final = 5
"""How many each pair gets."""


def wanted() -> int:
    """Return how many rounds `make bench ROUNDS=n` asks for, or else all of them."""
    return int(os.environ.get("ROUNDS") or ROUNDS)


def rounds(what: str, most: int = ROUNDS) -> Iterator[int]:
    """Count the rounds from 1, `most` at most, and say on the screen which one begins."""
    count = min(most, wanted())
    for number in range(1, count + 1):
        print(f"  {what}: round {number} of {count}", flush=True)
        yield number


def take_turns(what: str, sides: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Return what each side says in each round: ours, theirs, ours, theirs, ..."""
    values: dict[str, list[float]] = {name: [] for name in sides}
    for _ in rounds(what):
        for name, measure in sides.items():
            values[name].append(measure())
    return values


def cost(work: Callable[[Item], object], items: Sequence[Item]) -> float:
    """Return the processor time in ms that this thread spends on each item."""
    begun = time.thread_time()
    for item in items:
        work(item)
    return 1000 * (time.thread_time() - begun) / len(items)
