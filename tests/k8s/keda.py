"""Checks a ScaledObject as KEDA would, for Kubernetes' own schemas do not have it.

https://keda.sh/docs/2.21/reference/scaledobject-spec/ and /scalers/prometheus/. Only the fields that the
manifests use are known.
"""

from collections.abc import Iterator
from typing import Any, Final

from tests.k8s.manifests import Document

KIND: Final = "ScaledObject"

_BEHAVIOR: Final = {
    "stabilizationWindowSeconds": int,
    "policies": [{"type": str, "value": int, "periodSeconds": int}],
}
_FIELDS: Final = {
    "apiVersion": str,
    "kind": str,
    "metadata": {"name": str, "labels": {"app": str, "app.kubernetes.io/part-of": str}},
    "spec": {
        "scaleTargetRef": {"name": str},
        "minReplicaCount": int,
        "maxReplicaCount": int,
        "fallback": {"failureThreshold": int, "replicas": int, "behavior": str},
        "advanced": {
            "horizontalPodAutoscalerConfig": {"behavior": {"scaleUp": _BEHAVIOR, "scaleDown": _BEHAVIOR}}
        },
        "triggers": [
            {
                "type": str,
                "name": str,
                "metricType": str,
                # KEDA reads numbers and truth values here from texts.
                "metadata": {"serverAddress": str, "ignoreNullValues": str, "threshold": str, "query": str},
            }
        ],
    },
}


def faults(document: Document) -> list[str]:
    """Return a line for each field that is unknown, or whose value has the wrong type."""
    return list(_faults("", document, _FIELDS))


def _faults(path: str, value: Any, shape: Any) -> Iterator[str]:
    if isinstance(shape, type):
        if not isinstance(value, shape) or isinstance(value, bool):
            yield f"{path}: expected {shape.__name__}, found {value!r}"
    elif isinstance(shape, list):
        for number, item in enumerate(value):
            yield from _faults(f"{path}.{number}", item, shape[0])
    else:
        yield from (f"{path}.{name}: unknown" for name in value.keys() - shape.keys())
        for name in sorted(value.keys() & shape.keys()):
            yield from _faults(f"{path}.{name}", value[name], shape[name])
