"""Rules for every pod, in the base and in each overlay."""

import re

from tests.k8s.manifests import (
    ACCOUNT,
    Document,
    Documents,
    containers_of,
    containers_that,
    name_of,
    pod_of,
    pods_that,
    system,
    workloads,
)

CURRENT = {
    "ConfigMap": "v1",
    "Deployment": "apps/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "Job": "batch/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "PersistentVolumeClaim": "v1",
    "PodDisruptionBudget": "policy/v1",
    "PriorityClass": "scheduling.k8s.io/v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "ScaledObject": "keda.sh/v1alpha1",
    "Secret": "v1",
    "Service": "v1",
    "ServiceAccount": "v1",
    "StatefulSet": "apps/v1",
}
"""Each kind's current API version, which is not deprecated."""

UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def size(quantity: str) -> int:
    """Return a quantity such as 384Mi in bytes."""
    return int(quantity[:-2]) * UNITS[quantity[-2:]]


def test_all_subsystems_are_present() -> None:
    names = {name_of(document).split()[1] for document in workloads(system("base"))}

    assert names == {"zookeeper", "kafka", "tfserving", "producer", "consumer", "video", "training"}


def test_api_versions_are_current(documents: Documents) -> None:
    assert [
        name_of(document) for document in documents if CURRENT.get(document["kind"]) != document["apiVersion"]
    ] == []


def test_images_are_pulled_once_and_named_by_a_tag(documents: Documents) -> None:
    def breaks(container: Document) -> bool:
        image = container["image"]
        named = image.startswith("streamlens/") or re.search(r":v?\d[\w.-]*$", image)
        return container.get("imagePullPolicy") != "IfNotPresent" or "@" in image or not named

    assert containers_that(documents, breaks) == []


def test_pods_get_neither_service_variables_nor_a_token(documents: Documents) -> None:
    assert pods_that(documents, lambda pod: pod.get("enableServiceLinks") is not False) == []
    assert pods_that(documents, lambda pod: pod.get("automountServiceAccountToken") is not False) == []


def test_pods_run_as_an_unprivileged_user(documents: Documents) -> None:
    def breaks(pod: Document) -> bool:
        context = pod["securityContext"]
        user = context.get("runAsUser")
        is_user = isinstance(user, int) and not isinstance(user, bool) and user > 0
        return context.get("runAsNonRoot") is not True or not is_user

    def changes(container: Document) -> bool:
        return not {"runAsUser", "runAsNonRoot", "seccompProfile"}.isdisjoint(container["securityContext"])

    assert pods_that(documents, breaks) == []
    assert containers_that(documents, changes) == []


def test_pods_use_the_runtimes_seccomp_profile(documents: Documents) -> None:
    profile = {"type": "RuntimeDefault"}

    assert pods_that(documents, lambda pod: pod["securityContext"].get("seccompProfile") != profile) == []


def test_pods_share_nothing_with_their_node(documents: Documents) -> None:
    def breaks(pod: Document) -> bool:
        shared = {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & pod.keys()
        return bool(shared) or not all(map(_is_the_pods_own, pod.get("volumes", [])))

    assert pods_that(documents, breaks) == []
    assert (
        containers_that(documents, lambda container: any("hostPort" in port for port in _ports(container)))
        == []
    )


def _is_the_pods_own(volume: Document) -> bool:
    if volume.keys() == {"name", "projected"} and volume["name"] != ACCOUNT:
        return all(source.keys() == {"secret"} for source in volume["projected"]["sources"])
    kinds = [{"name", kind} for kind in ("configMap", "emptyDir", "persistentVolumeClaim", "secret")]
    return set(volume) in kinds or volume["name"] == ACCOUNT


def _ports(container: Document) -> list[Document]:
    ports: list[Document] = container.get("ports", [])
    return ports


def test_containers_cannot_gain_privileges_or_change_their_files(documents: Documents) -> None:
    expected = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }

    assert containers_that(documents, lambda container: container.get("securityContext") != expected) == []


def test_containers_have_requests_and_limits(documents: Documents) -> None:
    def breaks(container: Document) -> bool:
        requests, limits = container["resources"]["requests"], container["resources"]["limits"]
        return "cpu" not in requests or size(requests["memory"]) > size(limits["memory"])

    assert containers_that(documents, breaks) == []


def test_init_containers_are_checked_too() -> None:
    prepared = [
        workload for workload in workloads(system("hardened")) if "initContainers" in pod_of(workload)
    ]

    assert prepared
    for workload in prepared:
        assert len(containers_of(workload)) > len(pod_of(workload)["containers"])
