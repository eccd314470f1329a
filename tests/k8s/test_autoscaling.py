"""The autoscalers fit the Deployments that they scale, and ask for metrics that exist."""

import re
from typing import Final

import pytest

from pipeline.service.settings import Settings
from tests.k8s import environment, keda
from tests.k8s.manifests import (
    OVERLAYS,
    Document,
    Documents,
    autoscalers,
    labels_of,
    most_replicas,
    name_of,
    of_kind,
    pod_of,
    system,
    workload,
    workloads,
)
from tests.parts import ROOT
from tests.test_metrics import METRICS

SCALED: Final = [name for name in OVERLAYS if "autoscaling" in name]
WITH_KEDA: Final = [name for name in SCALED if not name.endswith("-cpu")]
each_scaled = pytest.mark.parametrize("name", SCALED)
each_with_keda = pytest.mark.parametrize("name", WITH_KEDA)


def scaled_objects(name: str) -> list[Document]:
    """Return the ScaledObjects of an overlay."""
    return of_kind(system(name), keda.KIND)


def target(scaler: Document) -> str:
    """Return the name of the Deployment that an autoscaler scales."""
    return str(scaler["spec"]["scaleTargetRef"]["name"])


def bounds(scaler: Document) -> tuple[int, int]:
    """Return the fewest and the most replicas."""
    spec = scaler["spec"]
    if scaler["kind"] == keda.KIND:
        return spec["minReplicaCount"], spec["maxReplicaCount"]
    return spec["minReplicas"], spec["maxReplicas"]


def behavior(scaler: Document) -> Document:
    """Return how fast an autoscaler scales."""
    spec = scaler["spec"]
    if scaler["kind"] == keda.KIND:
        spec = spec["advanced"]["horizontalPodAutoscalerConfig"]
    found: Document = spec["behavior"]
    return found


def partitions(documents: Documents) -> int:
    """Return how many partitions the topics of frames have, whoever creates them."""
    kafka = workload(documents, "kafka")
    (broker,) = (each for each in pod_of(kafka)["containers"] if each["name"] == "kafka")
    given = environment.kubernetes(kafka, broker, documents)
    default = Settings.model_fields["partitions"].default
    return min(int(given["KAFKA_NUM_PARTITIONS"]), int(default))


@each_scaled
def test_an_overlay_has_autoscalers_of_one_kind(name: str) -> None:
    expected = keda.KIND if name in WITH_KEDA else "HorizontalPodAutoscaler"

    assert {scaler["kind"] for scaler in autoscalers(system(name))} == {expected}


@each_scaled
def test_each_deployment_has_at_most_one_autoscaler(name: str) -> None:
    targets = [target(scaler) for scaler in autoscalers(system(name))]

    assert sorted(set(targets)) == sorted(targets)
    assert {"producer", "consumer", "tfserving"} <= set(targets)
    assert set(targets) <= {labels_of(each)["app"] for each in workloads(system(name))}


@each_with_keda
def test_keda_scales_each_deployment(name: str) -> None:
    deployments = {each["metadata"]["name"] for each in of_kind(system(name), "Deployment")}

    # Its volume can be in one pod only.
    assert {target(scaler) for scaler in scaled_objects(name)} == deployments - {"training"}


@each_scaled
def test_what_is_scaled_keeps_its_replicas_when_the_manifests_are_applied_again(name: str) -> None:
    documents = system(name)

    for scaler in autoscalers(documents):
        assert "replicas" not in workload(documents, target(scaler))["spec"]


@each_scaled
def test_there_are_no_more_replicas_than_partitions(name: str) -> None:
    for scaler in autoscalers(system(name)):
        least, most = bounds(scaler)
        assert 1 <= least < most <= partitions(system(name)), name_of(scaler)


@each_scaled
def test_one_consumer_can_keep_all_model_servers_busy(name: str) -> None:
    documents = system(name)
    consumer = workload(documents, "consumer")
    (container,) = pod_of(consumer)["containers"]
    (most,) = (bounds(each)[1] for each in autoscalers(documents) if target(each) == "tfserving")

    assert int(environment.kubernetes(consumer, container, documents)["INFLIGHT"]) == most


@each_scaled
def test_scaling_down_is_stabilised(name: str) -> None:
    for scaler in autoscalers(system(name)):
        down = behavior(scaler)["scaleDown"]
        assert down["stabilizationWindowSeconds"] >= 300, name_of(scaler)
        assert all(policy["value"] <= 50 for policy in down["policies"]), name_of(scaler)


def test_pods_that_are_scaled_by_processor_time_request_some() -> None:
    documents = system("autoscaling-cpu")

    for scaler in autoscalers(documents):
        (metric,) = scaler["spec"]["metrics"]
        assert metric["resource"]["target"] == {"type": "Utilization", "averageUtilization": 80}
        for container in pod_of(workload(documents, target(scaler)))["containers"]:
            assert container["resources"]["requests"]["cpu"], name_of(scaler)


@each_with_keda
def test_triggers_have_known_names(name: str) -> None:
    found = {
        target(each): [trigger["name"] for trigger in each["spec"]["triggers"]]
        for each in scaled_objects(name)
    }

    assert found == {
        "producer": ["cameras"],
        "consumer": ["offered", "ratio", "frames", "labels"],
        "tfserving": ["queue", "answer", "requests"],
        "video": ["viewers"],
    }


@each_with_keda
def test_triggers_ask_prometheus_and_fail_without_data(name: str) -> None:
    services = {each["metadata"]["name"]: each["spec"] for each in of_kind(system(name), "Service")}
    (port,) = services["prometheus-service"]["ports"]
    # KEDA runs in another namespace.
    address = f"http://prometheus-service.default:{port['port']}"

    for scaler in scaled_objects(name):
        for trigger in scaler["spec"]["triggers"]:
            assert trigger["type"] == "prometheus"
            assert trigger["metricType"] in {"Value", "AverageValue"}
            assert trigger["metadata"]["serverAddress"] == address
            # Otherwise KEDA would take missing data for an idle system, and scale down.
            assert trigger["metadata"]["ignoreNullValues"] == "false"
            assert float(trigger["metadata"]["threshold"]) > 0


@each_with_keda
def test_without_data_the_replicas_stay_as_they_are(name: str) -> None:
    for scaler in scaled_objects(name):
        least, _ = bounds(scaler)
        fallback = {"failureThreshold": 3, "replicas": least, "behavior": "currentReplicas"}
        assert scaler["spec"]["fallback"] == fallback


@each_with_keda
def test_queries_are_about_metrics_that_exist(name: str) -> None:
    exported = {metric.name for metric in METRICS}
    parts = {
        f"{metric.name}_{part}"
        for metric in METRICS
        if metric.kind == "Histogram"
        for part in ("bucket", "count", "sum")
    }

    for scaler in scaled_objects(name):
        for trigger in scaler["spec"]["triggers"]:
            asked = set(re.findall(r"\b(?:streamlens|ei)_\w+", trigger["metadata"]["query"]))
            assert asked
            assert asked <= exported | parts, f"{name_of(scaler)}: {trigger['name']}"


@each_scaled
def test_the_readme_has_the_same_numbers(name: str) -> None:
    text = (ROOT / "k8s/README.md").read_text()

    for scaler in autoscalers(system(name)):
        least, most = bounds(scaler)
        (row,) = re.findall(rf"^\| `{target(scaler)}` \| {least} to {most} \|.*$", text, re.MULTILINE)
        for trigger in scaler["spec"].get("triggers", []):
            threshold = trigger["metadata"]["threshold"]
            assert re.search(rf"(?<![\d.]){re.escape(threshold)}(?![\d.])", row), f"{row}: {trigger['name']}"


def test_the_readme_says_what_all_replicas_request() -> None:
    documents = system("autoscaling")
    units = {"m": 0.001, "Mi": 1 / 1024, "Gi": 1.0}
    sums = dict.fromkeys(("cpu", "memory"), 0.0)

    for each in workloads(documents):
        for container in pod_of(each)["containers"]:
            for resource, text in container["resources"]["requests"].items():
                number, unit = re.findall(r"(\d+)(\w+)", text)[0]
                sums[resource] += most_replicas(each, documents) * int(number) * units[unit]

    text = f"`autoscaling` requests {sums['cpu']:.1f} CPUs and {sums['memory']:.1f} GiB"
    assert text in (ROOT / "k8s/README.md").read_text()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"maxReplicas": 8}, ".spec.maxReplicas: unknown"),
        ({"maxReplicaCount": "8"}, ".spec.maxReplicaCount: expected int, found '8'"),
        (
            {"triggers": [{"metadata": {"threshold": 1}}]},
            ".spec.triggers.0.metadata.threshold: expected str, found 1",
        ),
    ],
    ids=["unknown", "text", "number"],
)
def test_a_misspelt_field_or_a_wrong_value_is_found(change: Document, fault: str) -> None:
    (scaler,) = (each for each in scaled_objects("autoscaling") if target(each) == "consumer")

    assert keda.faults(scaler) == []
    assert keda.faults({**scaler, "spec": {**scaler["spec"], **change}}) == [fault]
