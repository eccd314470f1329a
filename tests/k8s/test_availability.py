"""Probes, grace periods and disruption budgets, in the base and in each overlay."""

import re

from tests.k8s.manifests import (
    Document,
    Documents,
    labels_of,
    most_replicas,
    name_of,
    of_kind,
    pod_of,
    pods_that,
    ports_of,
    read,
    selects,
    system,
    workloads,
)
from tests.parts import ROOT

OURS = ("producer", "consumer", "video", "training")
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def test_containers_that_serve_are_probed(documents: Documents) -> None:
    for workload in workloads(documents):
        ports = ports_of(workload)
        for container in pod_of(workload)["containers"]:
            for probe in PROBES:
                ways = container[probe].keys() & {"httpGet", "tcpSocket", "exec", "grpc"}
                assert len(ways) == 1, f"{name_of(workload)}: {probe}"
                port = container[probe][ways.pop()].get("port")
                assert port is None or port in ports, f"{name_of(workload)}: {probe} uses port {port}"


def test_probes_work_without_ipv4(documents: Documents) -> None:
    for workload in workloads(documents):
        for container in pod_of(workload)["containers"]:
            for probe in PROBES:
                assert "127.0.0.1" not in str(container[probe]), f"{name_of(workload)}: {probe}"


def test_probes_ask_our_services_for_health_and_readiness(documents: Documents) -> None:
    services = [workload for workload in workloads(documents) if labels_of(workload)["app"] in OURS]

    assert len(services) >= len(OURS)
    for workload in services:
        (container,) = pod_of(workload)["containers"]
        asked = {probe: container[probe]["httpGet"] for probe in PROBES}
        health, ready = ({"path": path, "port": "health"} for path in ("/healthz", "/readyz"))
        assert asked == {"startupProbe": health, "readinessProbe": ready, "livenessProbe": health}


def test_pods_have_time_to_end(documents: Documents) -> None:
    assert pods_that(documents, lambda pod: pod.get("terminationGracePeriodSeconds", 0) < 10) == []


def test_replicas_are_spread_over_nodes_and_evicted_one_by_one(documents: Documents) -> None:
    budgets = of_kind(documents, "PodDisruptionBudget")
    several = [workload for workload in workloads(documents) if most_replicas(workload, documents) > 1]

    assert several or documents == system("gpu")  # there may be only one GPU
    for workload in several:
        labels, name = labels_of(workload), name_of(workload)
        (spread,) = pod_of(workload)["topologySpreadConstraints"]
        assert spread["topologyKey"] == "kubernetes.io/hostname", name
        assert selects(spread["labelSelector"]["matchLabels"], labels), name
        mine = [budget["spec"] for budget in budgets if selects(_selector(budget), labels)]
        assert [budget.get("maxUnavailable") for budget in mine] == [1], name


def test_every_budget_selects_a_workload(documents: Documents) -> None:
    for budget in of_kind(documents, "PodDisruptionBudget"):
        assert any(selects(_selector(budget), labels_of(workload)) for workload in workloads(documents))


def _selector(document: Document) -> dict[str, str]:
    assert document["spec"]["selector"].keys() == {"matchLabels"}
    selector: dict[str, str] = document["spec"]["selector"]["matchLabels"]
    return selector


def test_each_workload_selects_only_its_own_pods(documents: Documents) -> None:
    for workload in workloads(documents):
        mine = [
            name_of(other) for other in workloads(documents) if selects(_selector(workload), labels_of(other))
        ]
        assert mine == [name_of(workload)]


def test_with_compose_what_others_wait_for_may_take_minutes_to_start() -> None:
    (system_file,) = read("compose/docker-compose.yml")
    (file,) = read("zookeeper/docker-compose.yml")
    (image,) = re.findall(r"--start-period=(\S+)", (ROOT / "tfserving/Dockerfile").read_text())
    periods = {name: each["healthcheck"]["start_period"] for name, each in file["services"].items()}

    # `up` gives up if one of these is not healthy by then, however slow the machine is.
    awaited = {name for each in system_file["services"].values() for name in each.get("depends_on", ())}
    assert {**periods, "tfserving": image} == dict.fromkeys(awaited, "3m")
