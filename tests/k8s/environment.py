"""A container's environment, as Kubernetes and Docker Compose set it."""

import re
from collections.abc import Iterable, Iterator, Mapping

from tests.k8s.manifests import Document, Documents, labels_of, of_kind, read, values

Variables = dict[str, str]

SECRET = "a-password"  # for a secret that is not in the manifests


NODE = "192.0.2.10"  # the address of a pod's node


def kubernetes(workload: Document, container: Document, documents: Documents) -> Variables:
    """Return a container's variables, with references to others and to the pod's fields resolved."""
    found: Variables = {}
    for variable in container.get("env", []):
        if "value" in variable:
            found[variable["name"]] = expand(variable["value"], found)
        elif not _is_absent(variable["valueFrom"], documents):
            found[variable["name"]] = _from(variable["valueFrom"], workload, documents)
    return found


def expand(text: str, known: Mapping[str, str]) -> str:
    """Replace $(NAME) as Kubernetes does: by variables defined earlier; $$ is a dollar sign."""

    def put(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else known.get(match[1], match[0])

    return re.sub(r"\$\$|\$\(([\w.-]+)\)", put, text)


def names_in(texts: Iterable[str]) -> set[str]:
    """Return the names that texts refer to as $(NAME)."""
    return {name for text in texts for name in re.findall(r"\$\(([\w.-]+)\)", text)}


def _is_absent(source: Document, documents: Documents) -> bool:
    """Whether a variable is not set because it may be missing and is."""
    reference = source.get("secretKeyRef", {})
    names = {secret["metadata"]["name"] for secret in of_kind(documents, "Secret")}
    return bool(reference.get("optional")) and reference["name"] not in names


def _from(source: Document, workload: Document, documents: Documents) -> str:
    if "secretKeyRef" in source:
        name, key = source["secretKeyRef"]["name"], source["secretKeyRef"]["key"]
        secrets = [secret for secret in of_kind(documents, "Secret") if secret["metadata"]["name"] == name]
        return str(values(secrets[0])[key]) if secrets else SECRET
    path = source["fieldRef"]["fieldPath"]
    first = str(workload["spec"].get("ordinals", {}).get("start", 0))
    labels = {**labels_of(workload), "apps.kubernetes.io/pod-index": first}
    if label := re.fullmatch(r"metadata\.labels\['(.+)'\]", path):
        return labels[label[1]]
    if path == "status.hostIP":
        return NODE
    assert path == "metadata.name", path
    return f"{workload['metadata']['name']}-{first}"


def compose(folder: str, service: str) -> Variables:
    """Return a service's variables from the folder's Compose file, if the user sets none."""
    (file,) = read(f"{folder}/docker-compose.yml")
    given = file["services"][service].get("environment", {})
    return {name: _without_user(str(value)) for name, value in given.items()}


def _without_user(text: str) -> str:
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    assert "$" not in text, text
    return text


def aliases() -> Iterator[tuple[str, str, str]]:
    """Yield each name in the Compose network, with its folder and service."""
    for folder in ("zookeeper", "tfserving", "producer", "consumer", "video", "training"):
        (file,) = read(f"{folder}/docker-compose.yml")
        for service, fields in file["services"].items():
            for alias in fields.get("networks", {}).get("default", {}).get("aliases", []):
                yield folder, service, alias
