"""What `/api/status` reports about model servers, from what the consumers that ask them report."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from pipeline.wire.model_figures import ModelFigures
from video.api.view import View
from video.cameras.processes import Process

_HIDDEN: Final = "only operators who may see every camera see why"
_OF_ALL: Final = "its figures are of all cameras, and only those who may see all of them see them"
_MEASURED: Final = "it is being measured"
_NOT_ASKED: Final = "no request was answered in the last ten seconds"


def model_servers(processes: Iterable[Process], view: View) -> list[dict[str, Any]]:
    """Return each model at each server, or only each model to a visitor who may not see processes."""
    found: defaultdict[tuple[str, str], list[ModelFigures]] = defaultdict(list)
    for process in processes:
        for name, each in process.models.items():
            found[name, each.server if view.processes else ""].append(each)
    return [_row(name, server, figures, view) for (name, server), figures in sorted(found.items())]


def _row(name: str, server: str, found: Sequence[ModelFigures], view: View) -> dict[str, Any]:
    trouble = next((each.trouble for each in found if each.trouble), None)
    if trouble and not (view.processes and view.sees_all):
        trouble = _HIDDEN
    return {
        "model": name,
        "server": server or None,
        "consumers": len(found),
        "state": "not-ready" if trouble else "ready",
        "reason": trouble,
        **(_figures(found) if view.sees_all else _unknown(_OF_ALL)),
    }


def _figures(found: Sequence[ModelFigures]) -> dict[str, Any]:
    """Return the sums over all consumers, and the means over their requests and frames."""
    rates = [
        (each, each.requests, each.frames)
        for each in found
        if each.requests is not None and each.frames is not None
    ]
    if not rates:
        return _unknown(_MEASURED)
    took = _mean((each.took, requests) for each, requests, _ in rates)
    age = _mean((each.age, frames) for each, _, frames in rates)
    return {
        "requests_per_s": round(sum(requests for _, requests, _ in rates), 2),
        "frames_per_s": round(sum(frames for _, _, frames in rates), 2),
        "answer_ms": took,
        "age_ms": age,
        "failed": _failed(found),
        "why": _NOT_ASKED if took is None else None,
    }


def _unknown(why: str) -> dict[str, Any]:
    rates = dict.fromkeys(("requests_per_s", "frames_per_s", "answer_ms", "age_ms"))
    return {**rates, "failed": [], "why": why}


def _mean(values: Iterable[tuple[float | None, float]]) -> int | None:
    """Return the mean of times in s, each with its weight, in ms."""
    known = [(value, weight) for value, weight in values if value is not None and weight > 0]
    weights = sum(weight for _, weight in known)
    return round(1000 * sum(value * weight for value, weight in known) / weights) if known else None


def _failed(found: Iterable[ModelFigures]) -> list[dict[str, Any]]:
    counts: dict[str, tuple[int, float]] = {}
    for figures in found:
        for reason, each in figures.failed.items():
            count, rate = counts.get(reason, (0, 0.0))
            counts[reason] = count + each.count, rate + (each.rate or 0.0)
    return [
        {"reason": reason, "count": count, "per_s": round(rate, 2)}
        for reason, (count, rate) in sorted(counts.items())
    ]
