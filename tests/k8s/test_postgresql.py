"""The component that lets the training service reach a PostgreSQL where pods reach only what they need."""

import kubernetes_validate
import pytest

from tests.k8s.manifests import Document, labels_of, of_kind, read, system, workloads
from tests.k8s.network import OUTSIDE, STRANGER, SYSTEM, Place, pods, reached
from tests.k8s.test_runs import RUNS

FOLDER = "k8s/components/training-postgresql"
LABELS = {"app.kubernetes.io/name": "postgresql"}
SERVERS = [
    Place("here", LABELS, ports={"postgresql": 5432}),
    Place("elsewhere", LABELS, {"kubernetes.io/metadata.name": "databases"}, {"postgresql": 5432}),
    *(Place("private", namespace={}, address=address) for address in ("10.9.8.7", "192.168.1.5", "fd00::5")),
]
OTHERS = [OUTSIDE, STRANGER, Place("names", {"k8s-app": "kube-dns"}, SYSTEM)]
PORTS = (("TCP", 5432), ("UDP", 5432), ("TCP", 5433), ("TCP", 22))


def policy() -> Document:
    """Return its only document, which can also be applied alone."""
    (component,) = read(f"{FOLDER}/kustomization.yaml")
    assert (component["kind"], component["resources"]) == ("Component", ["policy.yml"])
    (found,) = read(f"{FOLDER}/policy.yml")
    return found


def test_it_is_valid_and_selects_the_training_service() -> None:
    spec = policy()["spec"]

    kubernetes_validate.validate(policy(), "1.33", strict=True)
    assert [
        labels_of(each)["app"]
        for each in workloads(system("base"))
        if spec["podSelector"]["matchLabels"].items() <= labels_of(each).items()
    ] == ["training"]
    names = [each["metadata"]["name"] for each in of_kind(system("hardened-training"), "NetworkPolicy")]
    assert policy()["metadata"]["name"] not in names


@pytest.mark.parametrize("name", ["hardened", "hardened-training"])
def test_with_it_the_service_and_nothing_else_reaches_postgresql(name: str) -> None:
    documents = system(name)
    # A producer reaches the cameras, which may be anywhere.
    sources = [each for each in (*pods(documents), *RUNS) if each.name != "producer"]
    targets = [*SERVERS, *OTHERS, *pods(documents)]

    before = set(reached(documents, sources, targets, PORTS))
    after = set(reached((*documents, policy()), sources, targets, PORTS))

    assert after - before == {("training", server.name, "TCP", 5432) for server in SERVERS}
    assert before <= after
    assert not any(port == 5432 for *_, port in before)
