"""Autoscaling on a real cluster, with KEDA and Prometheus, and a model that sleeps.

The manifests are those of k8s/overlays/autoscaling. Only numbers are changed: less load counts as much, times
are shorter, and the requests fit two processors.
"""

import copy
import json
import math
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import pytest

from tests.conftest import missing
from tests.e2e.conftest import works
from tests.e2e.kubernetes import Object, System, wait_until_labelled
from tests.k8s.keda import KIND
from tests.k8s.manifests import Document, Documents, of_kind, pod_of, workload
from tests.k8s.manifests import system as manifests
from tests.parts import ROOT, wait_for

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("cluster", "keda")]

BOUND: Final = 1.2
"""Age in s that nine of ten labels may reach: the threshold of the trigger `labels` in the overlay."""
FEWEST: Final = {"producer": 1, "consumer": 2, "tfserving": 2}
MOST: Final = {"producer": 2, "consumer": 3, "tfserving": 3}
THRESHOLDS: Final = {"cameras": "2", "offered": "4", "labels": "3", "answer": "0.6"}

DOWN: Final = {
    "stabilizationWindowSeconds": 30,
    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
}
UTILIZATION: Final = 45  # % of a consumer's request

INTERVAL: Final = "333ms"  # between two frames of a camera
MODEL: Final = Path(__file__).with_name("sleeping_model.py")
AGE: Final = (
    "max(histogram_quantile(0.9, sum by (model, le) (rate(streamlens_label_age_seconds_bucket[20s]))))"
)


class Moment(NamedTuple):
    """What was seen at a time: replicas of each Deployment, and the age of labels, if there were any."""

    seconds: float
    replicas: dict[str, int]
    age: float | None

    def __str__(self) -> str:
        counts = "  ".join(f"{name} {count}" for name, count in self.replicas.items())
        return f"{self.seconds:6.0f} s  {counts}  labels {'-' if self.age is None else f'{self.age:.2f} s'}"


class Recorder:
    """Looks at the system whenever a test waits for something, and keeps what it saw."""

    def __init__(self, system: System) -> None:
        self.moments: list[Moment] = []
        self._system = system
        self._begun = time.monotonic()

    def look(self) -> Moment:
        """Return what is to be seen now."""
        found = self._system.objects("deployments")
        replicas = {each["metadata"]["name"]: int(each["spec"]["replicas"]) for each in found}
        seconds = time.monotonic() - self._begun
        self.moments.append(
            Moment(seconds, {name: replicas[name] for name in FEWEST}, label_age(self._system))
        )
        return self.moments[-1]

    def wait_until(self, replicas: dict[str, int], timeout: float) -> None:
        """Wait until every Deployment has so many replicas, and all of them are ready."""
        wait_for(lambda: self.look().replicas == replicas, timeout, f"the replicas {replicas}")
        self._system.wait_until_ready()

    def has_kept(self, replicas: dict[str, int], seconds: float) -> bool:
        """Whether the replicas were these for a while, until now."""
        since = self.look().seconds - seconds
        kept = [each.replicas == replicas for each in self.moments if each.seconds >= since]
        return all(kept) and self.moments[0].seconds <= since

    def save(self, path: Path) -> None:
        """Write what was seen, for tests.bench.scaling.chart."""
        lines = [
            ",".join(map(str, (f"{each.seconds:.1f}", *each.replicas.values(), each.age or "")))
            for each in self.moments
        ]
        path.write_text("\n".join([",".join(("seconds", *FEWEST, "age")), *lines, ""]))

    def changes(self, name: str, since: float) -> list[int]:
        """Return by how much the replicas of a Deployment changed, each time."""
        counts = [each.replicas[name] for each in self.moments if each.seconds >= since]
        return [after - before for before, after in pairwise(counts) if after != before]


@pytest.fixture(scope="session")
def keda(cluster: None) -> None:  # noqa: ARG001
    """A cluster in which KEDA runs."""
    if not works("kubectl", "-n", "keda", "rollout", "status", "deployment", "--timeout=60s"):
        missing("keda", "install KEDA in the cluster for tests (https://keda.sh/docs/latest/deploy/)")
    if not works("kubectl", "get", "crd", "scaledobjects.keda.sh"):
        missing("keda", "KEDA's namespace is there, but not the kind ScaledObject")


@pytest.fixture(scope="module")
def system(keda: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:  # noqa: ARG001
    """Streamlens with two cameras, at its fewest replicas."""
    system = System()
    file = tmp_path_factory.mktemp("autoscaling") / "manifests.json"
    documents = changed(manifests("autoscaling"))
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": documents}))
    try:
        system.kubectl("apply", "-f", str(file))
        system.wait_until_ready()
        apply_cameras(system, 2)
        wait_until_labelled("camera-1", "camera-2", timeout=180)
        yield system
    finally:
        # First those that KEDA must release.
        system.kubectl("delete", "scaledobjects,hpa", "--all", "--wait")
        system.kubectl("delete", "--ignore-not-found", "-f", str(file))
        system.delete_key()
        system.wait_until_gone()


def changed(documents: Documents) -> list[Document]:
    """Return the manifests with a model that sleeps, and with other numbers."""
    documents = copy.deepcopy(documents)
    for scaler in of_kind(documents, KIND):
        _hurry(scaler["spec"])
    for found in of_kind(documents, "ConfigMap"):
        for name, text in found["data"].items():
            found["data"][name] = text.replace("scrape_interval: 15s", "scrape_interval: 4s")
    (consumer,) = pod_of(workload(documents, "consumer"))["containers"]
    consumer["env"].append({"name": "MODELTIMEOUT", "value": "5s"})
    (producer,) = pod_of(workload(documents, "producer"))["containers"]
    # For the film that is shown before there are cameras.
    (interval,) = (each for each in producer["env"] if each["name"] == "FRAMEINTERVAL")
    interval["value"] = INTERVAL
    _sleep(pod_of(workload(documents, "tfserving")))
    script = {"kind": "ConfigMap", "apiVersion": "v1", "data": {MODEL.name: MODEL.read_text()}}
    labels = {"app.kubernetes.io/part-of": "streamlens"}
    return [*documents, {**script, "metadata": {"name": "sleeping-model", "labels": labels}}]


def _hurry(spec: Document) -> None:
    name = spec["scaleTargetRef"]["name"]
    spec["maxReplicaCount"] = MOST.get(name, 1 + spec["minReplicaCount"])
    spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"] |= DOWN
    for trigger in spec["triggers"]:
        asked = trigger["metadata"]
        asked["threshold"] = THRESHOLDS.get(trigger["name"], asked["threshold"])
        asked["query"] = asked["query"].replace("[1m]", "[20s]")


def _sleep(pod: Document) -> None:
    (container,) = pod["containers"]
    container |= {
        "image": "streamlens/consumer",
        "command": ["python", f"/model/{MODEL.name}"],
        "args": ["8501"],
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
    }
    container["volumeMounts"].append({"name": "model", "mountPath": "/model", "readOnly": True})
    pod["volumes"].append({"name": "model", "configMap": {"name": "sleeping-model"}})


def apply_cameras(system: System, count: int, interval: str = INTERVAL) -> None:
    """Let there be so many cameras, each with a frame per `interval`, and no others."""
    film = {"link": "/clips/bikes.mp4", "interval": interval}
    cameras = {f"camera-{number + 1}": film for number in range(count)}
    system.change_cameras("apply", "--prune", "-f", "-", text=json.dumps({"cameras": cameras}))


def ask_prometheus(system: System, query: str) -> list[Any]:
    """Return what Prometheus answers; nothing while it does not."""
    pod = f"/api/v1/namespaces/{system.namespace}/pods/prometheus-0:9090"
    path = f"{pod}/proxy/api/v1/query?query={quote(query)}"
    try:
        found: list[Any] = json.loads(system.kubectl("get", "--raw", path))["data"]["result"]
    except AssertionError:
        return []
    return found


def label_age(system: System) -> float | None:
    """Return how old nine of ten labels are at most, in s; None while there are none."""
    for each in ask_prometheus(system, AGE):
        age = float(each["value"][1])
        return None if math.isnan(age) else age
    return None


def conditions(system: System, name: str) -> dict[str, str]:
    """Return the conditions of a ScaledObject: Ready, Active, Fallback."""
    found: Object = json.loads(system.kubectl("get", "scaledobject", name, "-o", "json"))
    return {each["type"]: each["status"] for each in found["status"].get("conditions", [])}


@pytest.mark.parametrize("name", ["autoscaling", "hardened-autoscaling"])
def test_the_api_server_and_keda_accept_the_manifests(name: str) -> None:
    said = System().kubectl("apply", "--dry-run=server", "-k", f"k8s/overlays/{name}")

    assert said.count("scaledobject.keda.sh/") == 4


def test_replicas_follow_the_load_and_stay_while_prometheus_is_away(system: System) -> None:
    recorder = Recorder(system)
    try:
        wait_for(lambda: recorder.has_kept(FEWEST, 20), 240, f"the replicas {FEWEST}")
        wait_for(
            lambda: all(conditions(system, name)["Ready"] == "True" for name in FEWEST), 120, "the triggers"
        )

        doubled = recorder.look().seconds
        apply_cameras(system, 4)
        recorder.wait_until(MOST, 240)
        wait_for(lambda: is_fresh(recorder.look()), 120, f"labels that are at most {BOUND} s old")
        fresh = recorder.look().seconds
        wait_for(lambda: recorder.look().seconds > fresh + 45, 120, "a while")
        for name in FEWEST:
            assert all(change > 0 for change in recorder.changes(name, doubled)), "flapping"
        assert sum(map(is_fresh, recorder.moments[-10:])) >= 8

        system.kubectl("scale", "statefulset/prometheus", "--replicas=0")
        apply_cameras(system, 2)
        wait_for(
            lambda: recorder.look() and conditions(system, "tfserving").get("Fallback") == "True",
            180,
            "the fallback",
        )
        assert recorder.look().replicas == MOST
        system.kubectl("scale", "statefulset/prometheus", "--replicas=1")

        halved = recorder.look().seconds
        recorder.wait_until(FEWEST, 300)
        for name in FEWEST:
            assert all(change < 0 for change in recorder.changes(name, halved)), "flapping"
    finally:
        recorder.save(ROOT / "build/autoscaling.csv")
        print(*recorder.moments, sep="\n")


def test_consumers_follow_the_processor_time_that_they_use(system: System, tmp_path: Path) -> None:
    def wait_for_consumers(count: int) -> None:
        wait_for(lambda: replicas() == count, 240, f"{count} consumers")
        system.wait_until_ready()

    def replicas() -> int:
        return int(system.kubectl("get", "deployment", "consumer", "-o", "jsonpath={.spec.replicas}"))

    apply_cameras(system, 2)
    # A Deployment can have only one autoscaler.
    system.kubectl("delete", "scaledobjects", "--all", "--wait")
    scalers = of_kind(copy.deepcopy(manifests("autoscaling-cpu")), "HorizontalPodAutoscaler")
    (scaler,) = (each for each in scalers if each["metadata"]["name"] == "consumer")
    scaler["spec"]["maxReplicas"] = MOST["consumer"]
    scaler["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] = UTILIZATION
    scaler["spec"]["behavior"]["scaleDown"] |= DOWN
    file = tmp_path / "scaler.json"
    file.write_text(json.dumps(scaler))

    system.kubectl("apply", "-f", str(file))
    wait_for_consumers(FEWEST["consumer"])
    apply_cameras(system, 6, "42ms")
    wait_for_consumers(MOST["consumer"])
    apply_cameras(system, 2)
    wait_for_consumers(FEWEST["consumer"])


def is_fresh(moment: Moment) -> bool:
    """Whether labels are as young as they should be."""
    return moment.age is not None and moment.age <= BOUND
