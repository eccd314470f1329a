"""The cluster's API, through the official client: manifests in, manifests out."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from kubernetes import config
from kubernetes.client import ApiClient, AppsV1Api, BatchV1Api, Configuration, CoreV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from pydantic import ValidationError
from urllib3.exceptions import HTTPError

Manifest = dict[str, Any]
Kind = Literal["Job", "Deployment", "Pod", "PersistentVolumeClaim", "Secret"]

_NAMES: Final[Mapping[Kind, str]] = {
    "Job": "job",
    "Deployment": "deployment",
    "Pod": "pod",
    "PersistentVolumeClaim": "persistent_volume_claim",
    "Secret": "secret",
}
_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_PATIENCE: Final = 10.0  # s
_MERGE: Final = "application/merge-patch+json"
_QUOTA: Final = "exceeded quota"  # in the reason of a 403
_LINES: Final = 20_000  # of a log that is read for the first time


class ClusterError(Exception):
    """The cluster's API refuses a request, or does not answer: why, in one line. `status` is HTTP's, or 0."""

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.status = status

    @property
    def is_quota(self) -> bool:
        """Whether a quota is used up: the cluster may accept the same once others have ended."""
        return self.status == 403 and _QUOTA in str(self)


class Cluster:
    """Objects in one namespace. All methods raise ClusterError."""

    def __init__(self, client: ApiClient, namespace: str) -> None:
        batch, apps, core = BatchV1Api(client), AppsV1Api(client), CoreV1Api(client)
        self._apis: Mapping[Kind, Any] = {
            "Job": batch,
            "Deployment": apps,
            "Pod": core,
            "PersistentVolumeClaim": core,
            "Secret": core,
        }
        self.namespace = namespace

    def create(self, manifest: Manifest) -> Manifest:
        """Create an object; return it as the cluster has it."""
        return self._asked("create", manifest["kind"], body=manifest)

    def listed(self, kind: Kind, selector: str) -> list[Manifest]:
        """Return the objects of a kind that have these labels."""
        items: list[Manifest] = self._asked("list", kind, label_selector=selector)["items"]
        return items

    def change(self, kind: Kind, name: str, patch: Manifest) -> Manifest:
        """Merge fields into an object."""
        return self._asked("patch", kind, name=name, body=patch, _content_type=_MERGE)

    def delete(self, kind: Kind, name: str) -> None:
        """Delete an object, and in the background what belongs to it; nothing if there is none."""
        try:
            self._asked("delete", kind, name=name, propagation_policy="Background")
        except ClusterError as error:
            if error.status != 404:
                raise

    def log(self, pod: str, container: str, seconds: int | None) -> str:
        """Return what a container has written in the last `seconds`, or so far, each line after its time."""
        since: dict[str, Any] = {"tail_lines": _LINES} if seconds is None else {"since_seconds": seconds}
        return self._read(
            "read",
            "Pod",
            "log",
            name=pod,
            container=container,
            timestamps=True,
            **since,
        ).decode(errors="replace")

    def _asked(self, verb: str, kind: Kind, **parameters: Any) -> Manifest:
        found: Manifest = json.loads(self._read(verb, kind, **parameters))
        return found

    def _read(self, verb: str, kind: Kind, part: str = "", **parameters: Any) -> bytes:
        name = f"{verb}_namespaced_{_NAMES[kind]}" + (f"_{part}" if part else "")
        call = getattr(self._apis[kind], name)
        try:
            answer = call(
                namespace=self.namespace, _preload_content=False, _request_timeout=_PATIENCE, **parameters
            )
            return bytes(answer.data)
        except ApiException as error:
            raise ClusterError(_reason(error, verb, kind), int(error.status or 0)) from None
        except ValidationError as error:
            raise ClusterError(f"the manifest of a {kind}: {' '.join(str(error).split())}") from None
        except (HTTPError, OSError) as error:
            cause = " ".join(str(getattr(error, "reason", None) or error).split())
            raise ClusterError(f"the cluster's API does not answer: {cause}") from None


def connect(namespace: str = "") -> Cluster:
    """Return the cluster that this process runs in, or that `KUBECONFIG` names. Raises ClusterError.

    By default, the namespace is that of the pod, or of the kubeconfig's context.
    """
    settings = Configuration()
    try:
        if _NAMESPACE.exists():
            config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]
            here = _NAMESPACE.read_text().strip()
        else:
            config.load_kube_config(client_configuration=settings)  # type: ignore[no-untyped-call]
            _, active = config.list_kube_config_contexts()  # type: ignore[no-untyped-call]
            here = active["context"].get("namespace", "default")
    except (ConfigException, OSError) as error:
        where = os.environ.get("KUBECONFIG", "~/.kube/config")
        raise ClusterError(
            f"expected a pod with an account (k8s/overlays/training-kubernetes), or a cluster in {where}: "
            f"{' '.join(str(error).split())}"
        ) from None
    return Cluster(ApiClient(settings), namespace or here)


def _reason(error: ApiException, verb: str, kind: Kind) -> str:
    try:
        said = str(json.loads(error.body or "")["message"])
    except (ValueError, KeyError, TypeError):
        said = str(error.reason or "it gives no reason")
    if error.status == 403 and _QUOTA not in said:
        said += "; apply k8s/overlays/training-kubernetes"
    return f"the cluster refuses to {verb} a {kind} ({error.status}): {' '.join(said.split())}"
