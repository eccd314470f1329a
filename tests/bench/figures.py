"""A figure: its name, its goal, and its value in each round."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """Something that is measured, in `unit`; the goal is at most `most`, or at least `least`."""

    name: str
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def goal(self) -> str:
        """The goal as text; empty if there is none."""
        if self.most is not None:
            return f"<= {self.most:g}"
        return "" if self.least is None else f">= {self.least:g}"

    def ratio(self, ours: Sequence[float], theirs: Sequence[float], unit: str, against: str) -> "Measured":
        """Return the figure of pairs: each round's ratio of ours to theirs, both in `unit`."""
        rounds = tuple(our / their for our, their in zip(ours, theirs, strict=True))
        return Measured(self, rounds, against, Side(unit, tuple(ours)), Side(unit, tuple(theirs)))

    def side_by_side(self, ours: Sequence[float], theirs: Sequence[float], against: str) -> "Measured":
        """Return the figure of pairs that are shown side by side: its value is ours."""
        unit = self.unit
        return Measured(self, tuple(ours), against, Side(unit, tuple(ours)), Side(unit, tuple(theirs)))

    def alone(self, rounds: Sequence[float], against: str) -> "Measured":
        """Return a figure without pairs; `against` states its number of samples."""
        return Measured(self, tuple(rounds), against)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the pairs: its absolute values, round by round."""

    unit: str
    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The rounds' median."""
        return statistics.median(self.rounds)

    def __str__(self) -> str:
        return f"{shown(self.median)} {self.unit}"


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure's value in each round, at least one; `against` says in words what it is measured against."""

    figure: Figure
    rounds: tuple[float, ...]
    against: str
    ours: Side | None = None
    theirs: Side | None = None

    @property
    def value(self) -> float:
        """The rounds' median."""
        return statistics.median(self.rounds)

    @property
    def met(self) -> bool | None:
        """Whether the median reaches the goal; None if there is none."""
        if self.figure.most is not None:
            return self.value <= self.figure.most
        return None if self.figure.least is None else self.value >= self.figure.least


def shown(value: float) -> str:
    """Return a value with three digits, or with all digits before the point: `0.0861`, `12.3`, `57,412`."""
    return f"{value:.3g}" if abs(value) < 1_000 else f"{value:,.0f}"
