"""What every pod keeps to, in the base and in each overlay."""

import re

from tests.k8s.manifests import (
    Document,
    Documents,
    containers_of,
    containers_that,
    labels_of,
    name_of,
    of_kind,
    pod_of,
    pods_that,
    ports_of,
    selects,
    system,
    workloads,
)

CURRENT = {
    "ConfigMap": "v1",
    "Deployment": "apps/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "NetworkPolicy": "networking.k8s.io/v1",
    "PodDisruptionBudget": "policy/v1",
    "Secret": "v1",
    "Service": "v1",
    "StatefulSet": "apps/v1",
}
"""Of each kind, the version that is served and not going away."""

OURS = ("producer", "consumer", "video")
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def size(quantity: str) -> int:
    """Return the bytes of a quantity such as 384Mi."""
    return int(quantity[:-2]) * UNITS[quantity[-2:]]


def test_all_subsystems_are_there() -> None:
    names = {name_of(document).split()[1] for document in workloads(system("base"))}

    assert names == {"zookeeper", "kafka", "tfserving", *OURS}


def test_interfaces_are_current(documents: Documents) -> None:
    assert [
        name_of(document) for document in documents if CURRENT.get(document["kind"]) != document["apiVersion"]
    ] == []


def test_images_are_pulled_once_and_named_by_a_tag(documents: Documents) -> None:
    def breaks(container: Document) -> bool:
        image = container["image"]
        named = image.startswith("streamlens/") or re.search(r":\d[\w.-]*$", image)
        return container.get("imagePullPolicy") != "IfNotPresent" or "@" in image or not named

    assert containers_that(documents, breaks) == []


def test_pods_get_no_variables_of_services_and_no_token(documents: Documents) -> None:
    assert pods_that(documents, lambda pod: pod.get("enableServiceLinks") is not False) == []
    assert pods_that(documents, lambda pod: pod.get("automountServiceAccountToken") is not False) == []


def test_pods_run_as_a_user_of_no_rights(documents: Documents) -> None:
    def breaks(pod: Document) -> bool:
        context = pod["securityContext"]
        user = context.get("runAsUser")
        is_user = isinstance(user, int) and not isinstance(user, bool) and user > 0
        return context.get("runAsNonRoot") is not True or not is_user

    def changes(container: Document) -> bool:
        return not {"runAsUser", "runAsNonRoot", "seccompProfile"}.isdisjoint(container["securityContext"])

    assert pods_that(documents, breaks) == []
    assert containers_that(documents, changes) == []


def test_pods_may_call_only_what_the_runtime_lets_them(documents: Documents) -> None:
    profile = {"type": "RuntimeDefault"}

    assert pods_that(documents, lambda pod: pod["securityContext"].get("seccompProfile") != profile) == []


def test_pods_share_nothing_with_their_node(documents: Documents) -> None:
    def breaks(pod: Document) -> bool:
        shared = {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & pod.keys()
        volumes = [volume.keys() - {"name"} for volume in pod.get("volumes", [])]
        return bool(shared) or any(volume != {"emptyDir"} for volume in volumes)

    assert pods_that(documents, breaks) == []
    assert (
        containers_that(documents, lambda container: any("hostPort" in port for port in _ports(container)))
        == []
    )


def _ports(container: Document) -> list[Document]:
    ports: list[Document] = container.get("ports", [])
    return ports


def test_containers_cannot_gain_rights_nor_change_their_files(documents: Documents) -> None:
    wanted = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }

    assert containers_that(documents, lambda container: container.get("securityContext") != wanted) == []


def test_containers_say_what_they_take_and_are_bounded(documents: Documents) -> None:
    def breaks(container: Document) -> bool:
        requests, limits = container["resources"]["requests"], container["resources"]["limits"]
        return "cpu" not in requests or size(requests["memory"]) > size(limits["memory"])

    assert containers_that(documents, breaks) == []


def test_containers_that_serve_are_probed(documents: Documents) -> None:
    for workload in workloads(documents):
        ports = ports_of(workload)
        for container in pod_of(workload)["containers"]:
            for probe in PROBES:
                ways = container[probe].keys() & {"httpGet", "tcpSocket", "exec", "grpc"}
                assert len(ways) == 1, f"{name_of(workload)}: {probe}"
                port = container[probe][ways.pop()].get("port")
                assert port is None or port in ports, f"{name_of(workload)}: {probe} asks {port}"


def test_our_services_are_asked_for_their_health_and_their_readiness(documents: Documents) -> None:
    services = [workload for workload in workloads(documents) if labels_of(workload)["app"] in OURS]

    assert len(services) >= len(OURS)
    for workload in services:
        (container,) = pod_of(workload)["containers"]
        asked = {probe: container[probe]["httpGet"] for probe in PROBES}
        health, ready = ({"path": path, "port": "health"} for path in ("/healthz", "/readyz"))
        assert asked == {"startupProbe": health, "readinessProbe": ready, "livenessProbe": health}


def test_pods_have_time_to_end(documents: Documents) -> None:
    assert pods_that(documents, lambda pod: pod.get("terminationGracePeriodSeconds", 0) < 10) == []


def test_two_or_more_of_a_kind_are_spread_and_go_one_by_one(documents: Documents) -> None:
    budgets = of_kind(documents, "PodDisruptionBudget")
    several = [workload for workload in workloads(documents) if workload["spec"]["replicas"] > 1]

    assert several
    for workload in several:
        labels, name = labels_of(workload), name_of(workload)
        (spread,) = pod_of(workload)["topologySpreadConstraints"]
        assert spread["topologyKey"] == "kubernetes.io/hostname", name
        assert selects(spread["labelSelector"]["matchLabels"], labels), name
        mine = [budget["spec"] for budget in budgets if selects(_selector(budget), labels)]
        assert [budget.get("maxUnavailable") for budget in mine] == [1], name


def test_every_budget_is_somebodys(documents: Documents) -> None:
    for budget in of_kind(documents, "PodDisruptionBudget"):
        assert any(selects(_selector(budget), labels_of(workload)) for workload in workloads(documents))


def _selector(document: Document) -> dict[str, str]:
    assert document["spec"]["selector"].keys() == {"matchLabels"}
    selector: dict[str, str] = document["spec"]["selector"]["matchLabels"]
    return selector


def test_workloads_make_pods_that_are_theirs_alone(documents: Documents) -> None:
    for workload in workloads(documents):
        mine = [
            name_of(other) for other in workloads(documents) if selects(_selector(workload), labels_of(other))
        ]
        assert mine == [name_of(workload)]


def test_a_container_that_prepares_is_looked_at_too() -> None:
    prepared = [
        workload for workload in workloads(system("hardened")) if "initContainers" in pod_of(workload)
    ]

    assert prepared
    for workload in prepared:
        assert len(containers_of(workload)) > len(pod_of(workload)["containers"])
