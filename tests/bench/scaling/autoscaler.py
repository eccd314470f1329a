"""The arithmetic of a HorizontalPodAutoscaler, as Kubernetes 1.33 does it.

Source: pkg/controller/podautoscaler/{horizontal,replica_calculator}.go. KEDA creates such autoscalers, so a
ScaledObject scales by the same rules.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

SYNC: Final = 15
"""Seconds between two decisions."""

_TOLERANCE: Final = 0.1

Kind = Literal["Value", "AverageValue", "Utilization"]


@dataclass(frozen=True, slots=True)
class Rate:
    """A policy: at most `value` pods, or percent of them, within `period` s."""

    kind: Literal["Pods", "Percent"]
    value: int
    period: int


@dataclass(frozen=True, slots=True)
class Rules:
    """How fast to scale in one direction; of several rates, the one that changes most counts."""

    window: int
    rates: Sequence[Rate]


UP: Final = Rules(0, (Rate("Percent", 100, 15), Rate("Pods", 4, 15)))
DOWN: Final = Rules(300, (Rate("Percent", 100, 15),))
"""What applies if the manifest says nothing."""


@dataclass(slots=True)
class Autoscaler:
    """Decides on the replicas of one Deployment, every `SYNC` s."""

    least: int
    most: int
    up: Rules = UP
    down: Rules = DOWN
    _wanted: list[tuple[int, int]] = field(default_factory=list)  # when, and how many
    _changes: list[tuple[int, int]] = field(default_factory=list)

    def decide(self, now: int, replicas: int, wanted: Sequence[int | None]) -> int:
        """Return the number of replicas from now on; `wanted` has that of each metric, None if it failed."""
        known = [number for number in wanted if number is not None]
        most = max(known, default=replicas)
        if len(known) < len(wanted):
            most = max(most, replicas)  # a metric that failed might have asked for more
        limited = self._limited(now, replicas, self._stable(now, replicas, most))
        if limited != replicas:
            self._changes.append((now, limited - replicas))
        return limited

    def _stable(self, now: int, replicas: int, wanted: int) -> int:
        self._wanted.append((now, wanted))
        lowest = min(number for when, number in self._wanted if when >= now - self.up.window)
        highest = max(number for when, number in self._wanted if when >= now - self.down.window)
        return min(max(replicas, lowest), highest)

    def _limited(self, now: int, replicas: int, wanted: int) -> int:
        if wanted > replicas:
            limits = [self._limit(rate, now, replicas, 1) for rate in self.up.rates]
            return min(wanted, max(replicas, *limits), self.most)
        limits = [self._limit(rate, now, replicas, -1) for rate in self.down.rates]
        return max(wanted, min(replicas, *limits), self.least)

    def _limit(self, rate: Rate, now: int, replicas: int, sign: int) -> int:
        recent = sum(
            change for when, change in self._changes if when > now - rate.period and change * sign > 0
        )
        before = replicas - recent
        if rate.kind == "Pods":
            return before + sign * rate.value
        part = before * (1 + sign * rate.value / 100)
        return math.ceil(part) if sign > 0 else math.floor(part)


def wanted(kind: Kind, value: float, target: float, replicas: int, ready: int) -> int | None:
    """Return how many replicas one metric asks for; None if it has no value (NaN).

    A `Value` is compared with the target as it is, an `AverageValue` is divided by the replicas first, and a
    `Utilization` is the mean over the pods that are ready.
    """
    if math.isnan(value):
        return None
    if kind == "AverageValue":
        ratio = value / (target * replicas)
        return replicas if _tolerated(ratio) else math.ceil(value / target)
    ratio = value / target
    if _tolerated(ratio):
        return replicas
    if kind == "Value" or ratio < 1 or ready == replicas:
        return math.ceil(ratio * ready)
    # Pods that are starting count as idle, and must not turn the decision around.
    damped = ratio * ready / replicas
    return replicas if damped < 1 or _tolerated(damped) else math.ceil(damped * replicas)


def _tolerated(ratio: float) -> bool:
    return 1 - _TOLERANCE <= ratio <= 1 + _TOLERANCE
