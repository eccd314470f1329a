"""On which nodes of a cluster pods may run, as clients send it: labels of nodes, and taints to tolerate.

As in Kubernetes: https://kubernetes.io/docs/concepts/scheduling-eviction/
"""

import json
import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

_MOST_RULES: Final = 20  # labels, or tolerations, of a deployment

_NAME: Final = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_PART: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_LABEL: Final = re.compile(rf"(?=.{{1,317}}$)({_PART}(\.{_PART})*/)?{_NAME}")
_VALUE: Final = re.compile(f"({_NAME})?")
_SELECTOR: Final = '{"disk": "ssd"}'
_TOLERATIONS: Final = '[{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}]'
_CHOICES: Final = {
    "operator": ("Equal", "Exists"),
    "effect": ("NoSchedule", "PreferNoSchedule", "NoExecute"),
}
_FIELDS: Final = ("key", "operator", "value", "effect", "tolerationSeconds")


def node_selector(value: object) -> dict[str, str]:
    """Return labels of nodes, given an object or a JSON text with one; raise ValueError in one line."""
    found = _parsed(value)
    if not isinstance(found, dict):
        raise ValueError(f"expected a JSON object with labels of nodes, such as {_SELECTOR}")
    _check_count(found)
    for name, each in found.items():
        _check_label(name)
        _check_value(f"the label {name}", each)
    return found


def tolerations(value: object) -> list[dict[str, str | int]]:
    """Return tolerations, given a list or a JSON text with one; raise ValueError in one line."""
    found = _parsed(value)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ValueError(f"expected a JSON list of tolerations, such as {_TOLERATIONS}")
    _check_count(found)
    for number, each in enumerate(found, 1):
        try:
            _check_toleration(each)
        except ValueError as error:
            raise ValueError(f"toleration {number}: {error}") from None
    return found


def _parsed(value: object) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _check_count(found: dict[str, Any] | list[Any]) -> None:
    if len(found) > _MOST_RULES:
        raise ValueError(f"expected at most {_MOST_RULES}, found {len(found)}")


def _check_toleration(given: dict[str, Any]) -> None:
    if unknown := given.keys() - {*_FIELDS}:
        raise ValueError(f"expected {', '.join(_FIELDS)}, found {', '.join(sorted(unknown))}")
    for name, choices in _CHOICES.items():
        if name in given and given[name] not in choices:
            raise ValueError(f"{name}: expected {' or '.join(choices)}, found {given[name]!r}")
    exists = given.get("operator") == "Exists"
    if given.get("key", "") != "":
        _check_label(given["key"])
    elif not exists:
        raise ValueError('key: required, unless operator is "Exists", which tolerates all')
    _check_value("value", given.get("value", ""))
    if exists and given.get("value"):
        raise ValueError('value: expected none, as operator is "Exists"')
    if "tolerationSeconds" in given and (
        type(given["tolerationSeconds"]) is not int or given.get("effect") != "NoExecute"
    ):
        raise ValueError('tolerationSeconds: expected a whole number, with "effect": "NoExecute"')


def _check_label(name: object) -> None:
    if not isinstance(name, str) or not _LABEL.fullmatch(name):
        raise ValueError(f"expected the name of a label, such as disk or example.com/disk, found {name!r}")


def _check_value(what: str, value: object) -> None:
    if not isinstance(value, str) or not _VALUE.fullmatch(value):
        raise ValueError(
            f"{what}: expected at most 63 letters, digits and - _ . between them, found {value!r}"
        )


NodeSelector = Annotated[dict[str, str], BeforeValidator(node_selector)]
"""Labels that a node must have: name → value."""

Tolerations = Annotated[list[dict[str, str | int]], BeforeValidator(tolerations)]
"""Tolerations as Kubernetes writes them."""
