"""Labels of nodes and tolerations as clients send them."""

import json
from typing import Any

import pytest
from kubernetes_validate import latest_version, validate

from tests.training.conftest import Service
from training.placement import node_selector, tolerations


@pytest.mark.parametrize(
    "labels",
    [{}, {"disk": "ssd"}, {"example.com/Disk_1.a": ""}, {"a" * 63: "b" * 63}, {"kubernetes.io/os": "linux"}],
    ids=["none", "one", "prefix", "long", "usual"],
)
def test_labels_may_be_an_object_or_a_text(labels: dict[str, str]) -> None:
    assert node_selector(labels) == node_selector(json.dumps(labels)) == labels


@pytest.mark.parametrize(
    "each",
    [
        {"operator": "Exists"},
        {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "example.com/gpu", "value": "yes"},
        {"key": "gpu", "operator": "Equal", "value": "", "effect": "PreferNoSchedule"},
        {"key": "gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},
    ],
    ids=["all", "key", "value", "equal", "seconds"],
)
def test_tolerations_are_those_of_kubernetes(each: dict[str, Any]) -> None:
    assert tolerations([each]) == tolerations(json.dumps([each])) == [each]
    containers = [{"name": "a"}]
    pod = {"containers": containers, "tolerations": [each]}
    validate({"apiVersion": "v1", "kind": "Pod", "spec": pod}, latest_version(), strict=True)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("node_selector", "{", "expected a JSON object with labels of nodes, such as"),
        ("node_selector", [], "expected a JSON object with labels of nodes, such as"),
        ("node_selector", {"a b": "c"}, "expected the name of a label, such as disk or example.com/disk"),
        ("node_selector", {"a/b/c": "c"}, "expected the name of a label"),
        ("node_selector", {"disk": "a b"}, "the label disk: expected at most 63 letters"),
        ("node_selector", {"disk": "a" * 64}, "the label disk: expected at most 63 letters"),
        ("node_selector", {"disk": 5}, "digits and - _ . between them, found 5"),
        ("tolerations", "[", "expected a JSON list of tolerations, such as"),
        ("tolerations", {"key": "a"}, "expected a JSON list of tolerations, such as"),
        ("tolerations", ["a"], "expected a JSON list of tolerations, such as"),
        (
            "tolerations",
            [{"operator": "Exists"}, {"kee": "a"}],
            "toleration 2: expected key, operator, value",
        ),
        ("tolerations", [{"key": "a", "operator": "In"}], "operator: expected Equal or Exists, found 'In'"),
        ("tolerations", [{"key": "a", "effect": "No"}], "effect: expected NoSchedule or PreferNoSchedule or"),
        ("tolerations", [{"value": "a"}], 'key: required, unless operator is "Exists"'),
        ("tolerations", [{"key": 5}], "expected the name of a label"),
        ("tolerations", [{"key": "a", "value": None}], "value: expected at most 63 letters"),
        ("tolerations", [{"key": "a", "operator": "Exists", "value": "b"}], "value: expected none"),
        ("tolerations", [{"key": "a", "tolerationSeconds": 5}], "tolerationSeconds: expected a whole number"),
        (
            "tolerations",
            [{"key": "a", "effect": "NoExecute", "tolerationSeconds": True}],
            "tolerationSeconds: expected a whole number",
        ),
    ],
)
def test_others_are_refused_in_one_line(service: Service, field: str, value: object, reason: str) -> None:
    sent = {"configuration": service.configuration(service.model()), field: value}

    found = service.refused("POST", "/deployments/", sent)

    assert found.startswith(f"{field}=")
    assert reason in found
    assert service.get("/deployments/") == []
    assert service.runner.runs == {}


def test_without_any_a_pod_may_run_anywhere(service: Service) -> None:
    made = service.deployment(node_selector=None, tolerations=None)

    assert (made["node_selector"], made["tolerations"]) == ({}, [])
