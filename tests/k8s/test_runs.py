"""With trainings and inferences as pods: what the training service may do, and what its runs reach."""

from dataclasses import replace

import pytest

from tests.k8s.manifests import (
    ACCOUNT,
    SYSTEMS,
    Document,
    Documents,
    containers_of,
    labels_of,
    of_kind,
    pod_of,
    pods_that,
    ports_of,
    selects,
    system,
    workload,
    workloads,
)
from tests.k8s.network import OUTSIDE, STRANGER, Place, allows, pods, reached
from tests.k8s.test_key import TOKEN, mounts
from tests.training.runners.cluster.test_manifests import BOTH, REPLICA, RUN
from tests.training.runners.cluster.test_runner import KIT
from training.runners.cluster.manifests import deployment, job

WITH_RUNS = ("training-kubernetes", "hardened-training")
RUNS = [Place(labels_of(each)["app"], labels_of(each), ports=ports_of(each)) for each in BOTH]
API = [Place("api", namespace={}, address=address) for address in ("10.96.0.1", "192.168.1.5", "fd00:1::5")]
PORTS = (("TCP", 443), ("TCP", 6443), ("TCP", 9999))


def of_training(documents: Documents, kind: str) -> list[Document]:
    """Return the documents of a kind that are the training service's."""
    return [each for each in of_kind(documents, kind) if each["metadata"]["labels"]["app"] == "training"]


@pytest.mark.parametrize("name", SYSTEMS)
def test_only_the_service_has_an_account_and_only_where_it_needs_one(name: str) -> None:
    documents = system(name)
    having = {
        labels_of(each)["app"]
        for each in workloads(documents)
        for container in containers_of(each)
        if ACCOUNT in mounts(container)
    } - {"producer", "video"}
    kinds = ("ServiceAccount", "Role", "RoleBinding")

    assert having == ({"training"} if name in WITH_RUNS else set())
    assert [len(of_training(documents, kind)) for kind in kinds] == 3 * [int(name in WITH_RUNS)]


@pytest.mark.parametrize("name", WITH_RUNS)
def test_its_token_is_where_the_client_looks_for_it(name: str) -> None:
    documents = system(name)
    pod = pod_of(workload(documents, "training"))
    (container,) = pod["containers"]
    (volume,) = (each for each in pod["volumes"] if each["name"] == ACCOUNT)
    (account,) = of_training(documents, "ServiceAccount")

    assert mounts(container)[ACCOUNT] == {"name": ACCOUNT, "mountPath": TOKEN, "readOnly": True}
    assert {item for each in volume["projected"]["sources"] for item in each} == {
        *("serviceAccountToken", "configMap", "downwardAPI")
    }
    assert pod["serviceAccountName"] == account["metadata"]["name"]
    assert pod["automountServiceAccountToken"] is False


@pytest.mark.parametrize("name", SYSTEMS)
def test_everything_has_priority_over_trainings_and_only_where_they_are_pods(name: str) -> None:
    documents = system(name)
    classes = of_kind(documents, "PriorityClass")

    assert len(classes) == int(name in WITH_RUNS)
    assert pods_that(documents, lambda pod: "priorityClassName" in pod or "priority" in pod) == []
    for each in classes:
        # Pods without a class have 0.
        assert each["value"] < 0
        assert each["preemptionPolicy"] == "Never"
        assert not each.get("globalDefault")
        (container,) = pod_of(workload(documents, "training"))["containers"]
        setting = {"name": "JOBPRIORITYCLASS", "value": each["metadata"]["name"]}
        assert setting in container["env"]
        kit = replace(KIT, priority_class=setting["value"])
        assert pod_of(job(RUN, kit, is_suspended=True))["priorityClassName"] == setting["value"]
        assert "priorityClassName" not in pod_of(deployment(REPLICA, "model-inference-7", kit))


@pytest.mark.parametrize("name", WITH_RUNS)
def test_runs_reach_kafka_the_service_and_models_and_nobody_reaches_them(name: str) -> None:
    documents = system(name)
    ours = pods(documents)

    outwards = set(reached(documents, RUNS, ours, PORTS))
    inwards = set(reached(documents, [*ours, *RUNS, OUTSIDE, STRANGER], RUNS, PORTS))

    needed = {("kafka", 19094), ("training", 8080), ("tfserving", 8500), ("tfserving", 8501)}
    pages = set() if "hardened" in name else {("video", 8080)}  # as from anywhere
    assert outwards == {(run.name, app, "TCP", port) for run in RUNS for app, port in needed | pages}
    assert inwards == set()


def test_prometheus_reaches_the_metrics_of_inferences_and_nothing_else_of_runs() -> None:
    runs = [each for each in system("hardened-training") if each not in system("hardened")]
    documents = (*system("hardened-monitoring"), *runs)
    (service,) = (
        each["spec"]
        for each in of_kind(documents, "Service")
        if each["metadata"]["name"] == "inference-metrics"
    )

    found = set(reached(documents, [*pods(documents), OUTSIDE, STRANGER], RUNS, PORTS))

    assert found == {("prometheus", "inference", "TCP", 9000)}
    assert [run.name for run in RUNS if selects(service["selector"], dict(run.labels))] == ["inference"]


def test_hardened_only_the_service_reaches_the_clusters_api() -> None:
    documents = system("hardened-training")
    sources = [each for each in [*pods(documents), *RUNS] if each.name != "producer"]

    found = set(reached(documents, sources, [*API, OUTSIDE], PORTS))

    assert found == {("training", "api", "TCP", 443), ("training", "api", "TCP", 6443)}
    for source in sources:
        for place in API:
            assert allows(documents, source, place, ("TCP", 443)) is (source.name == "training")
