"""The objects of a run: a Job for a training, a Deployment for an inference, and what belongs to them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from training.quantity import amount
from training.runners.cluster.api import Manifest
from training.runners.runner import Run

CONTAINER: Final = "job"
"""The name of the only container."""

RUN: Final = "streamlens/run"
"""The label with the name of a run; of an inference's replicas, without their numbers."""

OWNED: Final = {"app.kubernetes.io/managed-by": "streamlens-training"}
"""The label of all that the service creates."""

RETRIES: Final = 3  # of a Job whose container fails

_PART_OF: Final = {"app.kubernetes.io/part-of": "streamlens"}
_STOPPED: Final = 143  # the exit status of a job that was asked to stop
_USER: Final = 65532
_SETTINGS: Final = "training-job-settings"
_WORK: Final = "/work"
_HEALTH: Final = 9000  # the port where inferences serve health and metrics
_SECRET: Final = re.compile("TOKEN|PASSWORD|SECRET")
_MEMORIES: Final = ("JOBMEMORY", "MODELMEMORY")  # of a training, and of an inference
_RESERVE: Final = 512 * 2**20  # bytes for the job itself, besides the process that fits

Resources = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Kit:
    """What all pods are made with.

    `images` has an image for each framework, `storage` is the size of a training's volume, `priority_class`
    the PriorityClass of trainings, and `variables` are those of all pods.
    """

    images: Mapping[str, str]
    training: Resources
    inference: Resources
    storage: str
    storage_class: str = ""
    priority_class: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


def job(run: Run, kit: Kit, *, is_suspended: bool) -> Manifest:
    """Return the Job of a training. It may fail three times; disruptions and stops do not count."""
    labels = _labels(run.name, "training-job")
    pod = _pod(run, kit, kit.training)
    pod["restartPolicy"] = "Never"
    if kit.priority_class:
        pod["priorityClassName"] = kit.priority_class
    pod["volumes"].append({"name": "work", "persistentVolumeClaim": {"claimName": run.name}})
    ignored = [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        {
            "action": "Ignore",
            "onExitCodes": {"containerName": CONTAINER, "operator": "In", "values": [_STOPPED]},
        },
    ]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": run.name, "labels": labels},
        "spec": {
            "suspend": is_suspended,
            "backoffLimit": RETRIES,
            "podFailurePolicy": {"rules": ignored},
            # The volume can be mounted on one node only.
            "podReplacementPolicy": "Failed",
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def deployment(run: Run, name: str, kit: Kit) -> Manifest:
    """Return the Deployment of an inference under a name, with one replica."""
    labels = _labels(name, "inference")
    pod = _pod(run, kit, kit.inference)
    pod["containers"][0] |= _probed()
    pod["volumes"].append({"name": "work", "emptyDir": {"sizeLimit": kit.storage}})
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {RUN: name, **OWNED}},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def claim(name: str, kit: Kit) -> Manifest:
    """Return the claim of a training's volume, which outlives its pods."""
    storage = {"storageClassName": kit.storage_class} if kit.storage_class else {}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "labels": _labels(name, "training-job")},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": kit.storage}},
            **storage,
        },
    }


def secret(name: str, variables: Mapping[str, str]) -> Manifest | None:
    """Return the Secret with those variables that nobody may read in a manifest, if there are any."""
    private = {key: value for key, value in variables.items() if _SECRET.search(key)}
    if not private:
        return None
    metadata = {"name": name, "labels": _labels(name, "training-job")}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "Opaque",
        "stringData": private,
    }


def group_of(name: str) -> str:
    """Return the name of the Deployment of a replica: `model-inference-7-0` is one of `model-inference-7`."""
    return name.rpartition("-")[0]


def _labels(name: str, app: str) -> dict[str, str]:
    return {"app": app, RUN: name, **OWNED, **_PART_OF}


def _pod(run: Run, kit: Kit, resources: Resources) -> Manifest:
    limits: dict[str, Any] = dict(resources.get("limits", {}))
    tolerations = [dict(each) for each in run.tolerations]
    if run.gpus:
        # Kubernetes takes the limit for the request, and accepts nothing else. Its client takes only texts.
        limits["nvidia.com/gpu"] = str(run.gpus)
        tolerations.append({"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"})
    more: Manifest = {"tolerations": tolerations} if tolerations else {}
    if run.node_selector:
        more["nodeSelector"] = dict(run.node_selector)
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": 10,
        "containers": [
            {
                "name": CONTAINER,
                "image": kit.images[run.variables.get("FRAMEWORK", "tf")],
                "imagePullPolicy": "IfNotPresent",
                "command": ["python", "-m", run.module],
                # Settings of all jobs, such as KAFKACONFIG with a password, if one of these exists.
                "envFrom": [
                    {"configMapRef": {"name": _SETTINGS, "optional": True}},
                    {"secretRef": {"name": _SETTINGS, "optional": True}},
                ],
                "env": [*_environment(run, kit, limits)],
                "resources": {"requests": dict(resources.get("requests", {})), "limits": limits},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [
                    {"name": "work", "mountPath": _WORK},
                    {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
                ],
            }
        ],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "2Gi"}}],
        **more,
    }


def _probed() -> Manifest:
    """Return the port where a container serves health, and its probes, as those of the services."""
    alive, ready = ({"httpGet": {"path": path, "port": "health"}} for path in ("/healthz", "/readyz"))
    return {
        "ports": [{"name": "health", "containerPort": _HEALTH}],
        "startupProbe": {**alive, "periodSeconds": 1, "failureThreshold": 120},
        "readinessProbe": {**ready, "periodSeconds": 1, "timeoutSeconds": 3},
        "livenessProbe": {**alive, "periodSeconds": 10, "timeoutSeconds": 5},
    }


def _environment(run: Run, kit: Kit, limits: Mapping[str, Any]) -> Iterator[Manifest]:
    own = {"HOME": "/tmp", "STATEFOLDER": _WORK, "JOBFOLDER": f"{_WORK}/jobs"}  # noqa: S108
    if not run.queues:
        own["HEALTHPORT"] = f":{_HEALTH}"
    if "memory" in limits:
        left = amount(str(limits["memory"])) - _RESERVE
        own |= dict.fromkeys(_MEMORIES, str(left)) if left > 0 else {}
    name = run.name if run.queues else group_of(run.name)
    for key, value in {**own, **kit.variables, **run.variables}.items():
        if _SECRET.search(key):
            yield {"name": key, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}
        else:
            yield {"name": key, "value": value}
