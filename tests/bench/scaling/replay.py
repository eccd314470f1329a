"""Plays a load to the autoscalers of a policy, and counts what it costs and what is missed."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise, product
from typing import Final, NamedTuple

from tests.bench.scaling.autoscaler import SYNC, Autoscaler, wanted
from tests.bench.scaling.loads import Load
from tests.bench.scaling.policies import DEPLOYMENTS, Metric, Policy, inflight, request
from tests.bench.scaling.simulated import Sight, see

STARTS: Final = {"consumer": 10, "tfserving": 35}
"""Seconds until a new replica works; consumers connect to a new model server within 30 s after its start."""

_SCRAPE: Final = 15  # s between two samples
_OFFSET: Final = 7  # s from a sample to a decision


class Score(NamedTuple):
    """What a policy made of a load."""

    missed: float
    """The share of all frames, in %."""
    replica_seconds: int
    changes: int
    """How often the number of replicas of a Deployment changed."""


class _Scaled:
    """One Deployment, and since when its replicas run."""

    def __init__(self, name: str, policy: Policy) -> None:
        self.name = name
        self.changes = 0
        self._policy = policy
        self._scaler: Autoscaler = policy.scaler()
        self._since = [-math.inf] * policy.least

    @property
    def count(self) -> int:
        return len(self._since)

    def ready(self, now: int) -> int:
        return sum(since + STARTS[self.name] <= now for since in self._since)

    def scale(self, now: int, seen: Sequence[Sight]) -> None:
        asked = [
            wanted(metric.kind, self._value(metric, now, seen), metric.target, self.count, self.ready(now))
            for metric in self._policy.metrics
        ]
        count = self._scaler.decide(now, self.count, asked)
        self.changes += count != self.count
        self._since = self._since[:count] + [now] * (count - self.count)

    def _value(self, metric: Metric, now: int, seen: Sequence[Sight]) -> float:
        until = max(1, now // _SCRAPE * _SCRAPE)
        value = _mean(seen[max(0, until - metric.window) : until], metric.name)
        if metric.kind == "Utilization":
            return 100 * value / request(self.name) / self.ready(now)
        if metric.only_above and not value > metric.only_above:
            return 0.0
        if math.isfinite(metric.unless_answer):
            answer = _mean(seen[max(0, until - metric.answer_window) : until], "answer")
            return value if answer < metric.unless_answer else 0.0
        return value


def _mean(seen: Sequence[Sight], name: str) -> float:
    """Return the mean of the seconds in which there was a value; NaN if there was none."""
    values = [value for each in seen if not math.isnan(value := getattr(each, name))]
    return sum(values) / len(values) if values else math.nan


def play(load: Sequence[Load], policies: Mapping[str, Policy]) -> Score:
    """Return what the autoscalers make of a load; they begin with their fewest replicas."""
    scaled = [_Scaled(name, policies[name]) for name in DEPLOYMENTS]
    requests = inflight()
    seen: list[Sight] = []
    replica_seconds = 0
    for now, second in enumerate(load):
        consumers, servers = (each.ready(now) for each in scaled)
        seen.append(see(second, consumers, servers, requests))
        replica_seconds += sum(each.count for each in scaled)
        if now % SYNC == _OFFSET:
            for each in scaled:
                each.scale(now, seen)
    missed = sum(each.missed for each in seen)
    return Score(_percent(missed, load), replica_seconds, sum(each.changes for each in scaled))


def oracle(load: Sequence[Load], most: Mapping[str, int]) -> Score:
    """Return what somebody makes of a load who knows it, and starts the fewest replicas just in time."""
    needed = {second: _fewest(second, most) for second in set(load)}
    plans = [[needed[second][place] for second in load] for place in range(len(DEPLOYMENTS))]
    replica_seconds = changes = 0
    for name, plan in zip(DEPLOYMENTS, plans, strict=True):
        early = [max(plan[now : now + STARTS[name] + 1]) for now in range(len(plan))]
        replica_seconds += sum(early)
        changes += sum(before != after for before, after in pairwise(early))
    missed = sum(see(second, *needed[second], inflight()).missed for second in load)
    return Score(_percent(missed, load), replica_seconds, changes)


def _fewest(load: Load, most: Mapping[str, int]) -> tuple[int, int]:
    """Return the fewest replicas of those with which least is missed."""
    counts = product(*(range(1, most[name] + 1) for name in DEPLOYMENTS))
    consumers, servers = min(
        counts, key=lambda each: (round(see(load, *each, inflight()).missed, 3), sum(each))
    )
    return consumers, servers


def _percent(missed: float, load: Sequence[Load]) -> float:
    return 100 * missed / sum(second.cameras * second.fps for second in load)
