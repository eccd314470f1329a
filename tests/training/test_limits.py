"""Limits on what clients and users' code send, exceeded once."""

import numpy as np
import pytest

from tests.training.api.test_inferences import SENT
from tests.training.conftest import Service
from training.api import forms
from training.code.checking import _summary
from training.code.child.reason import reason
from training.job.child.classes import matrix

REPORT = {"text": "", "inputs": [], "outputs": [], "parameters": 1, "metrics": []}


@pytest.mark.exceeds("training.fields.LARGEST_NUMBER")
def test_ids_are_limited(service: Service) -> None:
    assert "2147483647" in service.refused("GET", f"/models/{2**31}")
    assert service.client.get(f"/models/{2**31 - 1}").status_code == 404


@pytest.mark.exceeds("training.api.configurations._MOST")
def test_models_of_a_configuration_are_limited(service: Service) -> None:
    sent = {"name": "all", "ml_models": [1] * 1001}

    assert "1000 items" in service.refused("POST", "/configurations/", sent)


@pytest.mark.exceeds("training.api.inferences._MOST_REPLICAS")
def test_replicas_of_an_inference_are_limited(service: Service) -> None:
    result = service.finished()

    assert "100" in service.refused("POST", f"/results/inference/{result}", {**SENT, "replicas": 101})


@pytest.mark.exceeds("training.placement._MOST_RULES")
def test_rules_about_nodes_are_limited(service: Service) -> None:
    sent = {"configuration": service.configuration(service.model())}
    labels = {f"label{number}": "" for number in range(21)}

    for field, value in (("node_selector", labels), ("tolerations", 21 * [{"operator": "Exists"}])):
        assert "expected at most 20, found 21" in service.refused(
            "POST", "/deployments/", {**sent, field: value}
        )


@pytest.mark.exceeds("training.api.forms.LARGEST_FIELD")
def test_fields_of_forms_are_limited(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    result = service.deployment()["results"][0]["id"]
    monkeypatch.setattr(forms, "LARGEST_FIELD", 1000)

    answer = service.upload(result, "x" * 2000)

    assert answer.status_code == 400
    assert "maximum size" in answer.text


@pytest.mark.exceeds("training.code.checking._LONGEST_TEXT", "training.code.checking._MOST_NAMES")
def test_what_a_summary_says_is_limited() -> None:
    long = {"text": "x" * 100_001, "inputs": [[1]] * 1001, "metrics": ["loss"] * 1001}

    summary = _summary({**REPORT, **long})

    assert (len(summary.text), len(summary.inputs), len(summary.metrics)) == (100_000, 1000, 1000)


@pytest.mark.exceeds("training.code.child.reason._LONGEST_REASON")
def test_an_exception_s_text_is_limited() -> None:
    assert reason(ValueError("x" * 401)) == f"ValueError: {'x' * 400}..."


@pytest.mark.exceeds("training.job.child.classes._MOST_CLASSES")
def test_a_confusion_matrix_is_limited() -> None:
    labels = np.array([0, 1])

    assert matrix(np.zeros((2, 1001)), labels, "sparse_categorical_crossentropy") is None
    assert matrix(np.zeros((2, 1000)), labels, "sparse_categorical_crossentropy") is not None
