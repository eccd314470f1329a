"""The policies, with the numbers in the manifests: k8s/components/autoscaling, and autoscaling-cpu."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import yaml

from tests.bench.scaling.autoscaler import DOWN, UP, Autoscaler, Kind, Rate, Rules
from tests.parts import ROOT

DEPLOYMENTS: Final = ("consumer", "tfserving")
"""Those that are simulated."""

_COMPONENTS: Final = ROOT / "k8s/components"
_GAUGE: Final = 10  # s that ei_infer_fps and the others cover
_CPU: Final = 15  # s that a sample of metrics-server covers
_UNITS: Final = {"s": 1, "m": 60}

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Metric:
    """What an autoscaler looks at: a field of `Sight`, as its mean over `window` s, against a target.

    If the model's answers take `unless_answer` s or longer (the mean over `answer_window` s), or if it is not
    above `only_above`, it is 0.
    """

    name: str
    kind: Kind
    target: float
    window: int
    unless_answer: float = float("inf")
    answer_window: int = 0
    only_above: float = 0.0


@dataclass(frozen=True, slots=True)
class Policy:
    """How one Deployment is scaled."""

    metrics: Sequence[Metric]
    scaler: Callable[[], Autoscaler]
    least: int


def ours() -> dict[str, Policy]:
    """Return what the ScaledObjects say."""
    return {name: _of_scaled_object(_read(f"autoscaling/{name}.yml", "ScaledObject")) for name in DEPLOYMENTS}


def by_cpu(target: int | None = None) -> dict[str, Policy]:
    """Return what the HorizontalPodAutoscalers say, or the same with another target, in % of the requests."""
    found = {name: _read(f"autoscaling-cpu/{name}.yml", "HorizontalPodAutoscaler") for name in DEPLOYMENTS}
    policies = {name: _of_autoscaler(name, document) for name, document in found.items()}
    if target is None:
        return policies
    return {
        name: replace(policy, metrics=[replace(metric, target=float(target)) for metric in policy.metrics])
        for name, policy in policies.items()
    }


@cache
def inflight() -> int:
    """Return how many requests each consumer keeps under way."""
    patch = yaml.safe_load((ROOT / "k8s/components/scaled/consumer.yml").read_text())
    (container,) = patch["spec"]["template"]["spec"]["containers"]
    return next(int(each["value"]) for each in container["env"] if each["name"] == "INFLIGHT")


@cache
def request(name: str) -> float:
    """Return how many processors a pod of a Deployment requests."""
    documents = yaml.safe_load_all((ROOT / name / "deployment.yml").read_text())
    (deployment,) = (each for each in documents if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return int(container["resources"]["requests"]["cpu"].removesuffix("m")) / 1000


def _read(path: str, kind: str) -> Document:
    documents = yaml.safe_load_all((_COMPONENTS / path).read_text())
    spec: Document = next(each["spec"] for each in documents if each["kind"] == kind)
    return spec


def _of_scaled_object(spec: Document) -> Policy:
    metrics = [_of_trigger(trigger) for trigger in spec["triggers"]]
    behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    return _policy(metrics, spec["minReplicaCount"], spec["maxReplicaCount"], behavior)


def _of_trigger(trigger: Document) -> Metric:
    query = trigger["metadata"]["query"]
    windows = [int(number) * _UNITS[unit] for number, unit in re.findall(r"\[(\d+)([sm])\]", query)]
    is_gauge = query.startswith("sum(ei_")
    guard = re.search(r"answer_seconds_count\S+\s*\) < bool ([\d.]+)", query)
    above = re.search(r"\) > ([\d.]+)\)", query)
    return Metric(
        name=trigger["name"],
        kind=trigger["metricType"],
        target=float(trigger["metadata"]["threshold"]),
        window=_GAUGE if is_gauge else max(windows),
        unless_answer=float(guard[1]) if guard else float("inf"),
        answer_window=max(windows, default=0),
        only_above=float(above[1]) if above else 0.0,
    )


def _of_autoscaler(name: str, spec: Document) -> Policy:
    (metric,) = spec["metrics"]
    target = float(metric["resource"]["target"]["averageUtilization"])
    metrics = [Metric(name, "Utilization", target, _CPU)]
    return _policy(metrics, spec["minReplicas"], spec["maxReplicas"], spec["behavior"])


def _policy(metrics: Sequence[Metric], least: int, most: int, behavior: Document) -> Policy:
    up, down = _rules(behavior.get("scaleUp"), UP), _rules(behavior.get("scaleDown"), DOWN)
    return Policy(metrics, lambda: Autoscaler(least, most, up, down), least)


def _rules(given: Document | None, default: Rules) -> Rules:
    if given is None:
        return default
    rates = [Rate(each["type"], each["value"], each["periodSeconds"]) for each in given.get("policies", [])]
    return Rules(given.get("stabilizationWindowSeconds", default.window), tuple(rates) or default.rates)
