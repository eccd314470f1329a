"""The manifests as a cluster receives them: read from the files, or built by kustomize."""

import functools
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Callable, Hashable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from tests.conftest import missing
from tests.parts import ROOT

Document = dict[str, Any]
Documents = tuple[Document, ...]

FILES: Final = tuple(
    f"{folder}/deployment.yml"
    for folder in ("zookeeper", "tfserving", "producer", "consumer", "video", "training")
)
OVERLAYS: Final = tuple(sorted(path.parent.name for path in ROOT.glob("k8s/overlays/*/kustomization.yaml")))
SYSTEMS: Final = ("base", *OVERLAYS)
"""The sets of manifests that can be deployed: the base with all subsystems, and each overlay."""

LEDGERS: Final = {"plain": "k8s/ledger", "hardened": "k8s/overlays/hardened/ledger"}
"""The folders of the ledger's Job: without passwords, and where Kafka requires them."""

ACCOUNT: Final = "account"
"""The volume with the token of a pod's service account; tests/k8s/test_key.py says who may have it."""


class _Loader(yaml.SafeLoader):
    """Refuses a field that is given twice; by default YAML's reader would use the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = [key.value for key, _ in node.value]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"{', '.join(sorted(twice))} more than once{node.start_mark}")
        return super().construct_mapping(node, deep)


def parse(text: str) -> Documents:
    """Return the documents of a YAML file's text."""
    return tuple(document for document in yaml.load_all(text, _Loader) if document)


@functools.cache
def read(path: Path | str) -> Documents:
    """Return the documents of a file below the repository's root. They are cached: do not change them."""
    return parse((ROOT / path).read_text())


@functools.cache
def build(folder: str) -> Documents:
    """Return the documents that `kubectl apply -k` would send. They are cached: do not change them."""
    if shutil.which("kubectl") is None:
        missing("cluster", "install kubectl, which also builds overlays")
    command = ["kubectl", "kustomize", folder]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    return parse(run.stdout)


def system(name: str) -> Documents:
    """Return all documents of one of `SYSTEMS`."""
    if name == "base":
        return tuple(document for path in FILES for document in read(path))
    return build(f"k8s/overlays/{name}")


def ledger_commands() -> list[str]:
    """Return the commands of the README's section about the ledger."""
    section = (ROOT / "k8s/README.md").read_text().partition("\n## The ledger\n")[2]
    return section.partition("```sh\n")[2].partition("```")[0].splitlines()


def name_of(document: Document) -> str:
    """Return a document's kind and name."""
    return f"{document['kind']} {document['metadata']['name']}"


def of_kind(documents: Documents, *kinds: str) -> list[Document]:
    """Return the documents of some kinds."""
    return [document for document in documents if document["kind"] in kinds]


def workloads(documents: Documents) -> list[Document]:
    """Return the documents that create pods."""
    return of_kind(documents, "Deployment", "StatefulSet", "Job")


def labels_of(workload: Document) -> dict[str, str]:
    """Return the labels of a workload's pods."""
    labels: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return labels


def pod_of(workload: Document) -> Document:
    """Return a workload's pod specification."""
    pod: Document = workload["spec"]["template"]["spec"]
    return pod


def containers_of(workload: Document) -> list[Document]:
    """Return a workload's containers, init containers first."""
    pod = pod_of(workload)
    return [*pod.get("initContainers", []), *pod["containers"]]


def ports_of(workload: Document) -> dict[str, int]:
    """Return the ports that a workload's containers name."""
    ports = (port for container in containers_of(workload) for port in container.get("ports", []))
    return {port["name"]: port["containerPort"] for port in ports}


def workload(documents: Documents, name: str) -> Document:
    """Return the one workload of a name."""
    (found,) = (document for document in workloads(documents) if document["metadata"]["name"] == name)
    return found


def autoscalers(documents: Documents) -> list[Document]:
    """Return the documents that scale Deployments."""
    return of_kind(documents, "HorizontalPodAutoscaler", "ScaledObject")


def most_replicas(workload: Document, documents: Documents) -> int:
    """Return how many replicas a workload may have: as its autoscaler says, or it itself."""
    for scaler in autoscalers(documents):
        spec = scaler["spec"]
        if spec["scaleTargetRef"]["name"] == workload["metadata"]["name"]:
            return int(spec.get("maxReplicas") or spec["maxReplicaCount"])
    return int(workload["spec"]["replicas"])


def selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    """Whether a selector's labels are all among these."""
    return selector.items() <= labels.items()


def pods_that(documents: Documents, breaks: Callable[[Document], bool]) -> list[str]:
    """Return the names of the workloads whose pods break a rule."""
    return [name_of(document) for document in workloads(documents) if breaks(pod_of(document))]


def containers_that(documents: Documents, breaks: Callable[[Document], bool]) -> list[str]:
    """Return the names of the containers, including init containers, that break a rule."""
    return [
        f"{name_of(document)}: {container['name']}"
        for document in workloads(documents)
        for container in containers_of(document)
        if breaks(container)
    ]


def texts(value: Any) -> Iterator[str]:
    """Yield all texts anywhere in a value."""
    if isinstance(value, str):
        yield value
        return
    inner: Iterable[Any] = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    for item in inner:
        yield from texts(item)


def values(secret: Document) -> dict[str, str]:
    """Return a Secret's values in plain text."""
    coded = {key: b64decode(text).decode() for key, text in secret.get("data", {}).items()}
    return {**coded, **secret.get("stringData", {})}
