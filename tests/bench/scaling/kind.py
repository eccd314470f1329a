"""How the autoscaling of k8s/overlays/autoscaling does on each load, next to scaling by processor time."""

from functools import cache
from typing import Final

from tests.bench.figures import Figure, Measured
from tests.bench.scaling.loads import loads
from tests.bench.scaling.policies import by_cpu, ours
from tests.bench.scaling.replay import Score, oracle, play

_LOADS: Final = loads()
_MISSED: Final = {name: Figure(f"missed frames, {name}", "%") for name in _LOADS}
_REPLICAS: Final = {name: Figure(f"replica-seconds / those of an oracle, {name}", "x") for name in _LOADS}
ALL_MISSED: Final = Figure("missed frames, all loads / scaling by CPU", "x", most=1)
ALL_REPLICAS: Final = Figure("replica-seconds, all loads / scaling by CPU", "x", most=1)
FIGURES: Final = (*_MISSED.values(), *_REPLICAS.values(), ALL_MISSED, ALL_REPLICAS)

_AGAINST: Final = "scaling by CPU, k8s/overlays/autoscaling-cpu; simulated"


def measure() -> list[Measured]:
    """Return the figures of a simulation, which is the same each time."""
    mine, theirs = scores(None)
    best = {name: oracle(load, {"consumer": 8, "tfserving": 4}) for name, load in _LOADS.items()}
    measured = []
    for name, figure in _MISSED.items():
        against = f"{_AGAINST}; an oracle misses {best[name].missed:.1f} %"
        measured.append(figure.side_by_side([mine[name].missed], [theirs[name].missed], against))
    for name, figure in _REPLICAS.items():
        relative = [scored[name].replica_seconds / best[name].replica_seconds for scored in (mine, theirs)]
        measured.append(figure.side_by_side(relative[:1], relative[1:], _AGAINST))
    return [
        *measured,
        ALL_MISSED.ratio([_missed(mine)], [_missed(theirs)], "%", _AGAINST),
        ALL_REPLICAS.ratio([_seconds(mine)], [_seconds(theirs)], "s", _AGAINST),
    ]


@cache
def scores(cpu: int | None) -> tuple[dict[str, Score], dict[str, Score]]:
    """Return our scores and those of scaling by CPU, also with a target other than the manifest's, in %."""
    policies = ours(), by_cpu(cpu)
    mine, theirs = ({name: play(load, policy) for name, load in _LOADS.items()} for policy in policies)
    return mine, theirs


def _missed(scored: dict[str, Score]) -> float:
    return sum(score.missed for score in scored.values()) / len(scored)


def _seconds(scored: dict[str, Score]) -> float:
    return sum(score.replica_seconds for score in scored.values())
