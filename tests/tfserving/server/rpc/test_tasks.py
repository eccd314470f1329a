"""Classify, Regress and MultiInference over gRPC."""

from typing import Any

import pytest
from tensorflow_serving.apis import (
    classification_pb2,
    inference_pb2,
    regression_pb2,
)

from tests.tfserving.server.rpc_client import Client, Status, asking, examples, failure
from tfserving.server.monitoring.monitoring import Monitor

CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"


def test_classify(client: Client) -> None:
    answer = client.predictions.Classify(
        asking(classification_pb2.ClassificationRequest, "classify", examples(0.25, 1), "toy")
    )

    pairs = [[(one.label, one.score) for one in row.classes] for row in answer.result.classifications]
    assert pairs == [[("small", 0.75), ("large", 0.25)], [("small", 0.0), ("large", 1.0)]]
    spec = answer.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("toy", 1, "classify")


def test_scores_alone_classify(client: Client) -> None:
    answer = client.predictions.Classify(
        asking(classification_pb2.ClassificationRequest, "classify_x_to_y", examples(2))
    )

    assert [(one.label, one.score) for one in answer.result.classifications[0].classes] == [("", 3.0)]


def test_an_output_that_the_method_does_not_need_is_left_out(client: Client) -> None:
    answer = client.predictions.Classify(
        asking(classification_pb2.ClassificationRequest, "classes_and_other", examples(2))
    )

    assert [(one.label, one.score) for one in answer.result.classifications[0].classes] == [("3.000000", 0.0)]


def test_regress_with_a_context(client: Client) -> None:
    answer = client.predictions.Regress(
        asking(regression_pb2.RegressionRequest, "regress_x_to_y", examples(None, 4, context=2))
    )

    assert [one.value for one in answer.result.regressions] == [3.0, 4.0]
    assert answer.model_spec.version.value == 3


@pytest.mark.parametrize(
    ("method", "signature", "message"),
    [
        ("Classify", "nope", "No signature was found with the name: nope"),
        ("Classify", "", "No signature was found with the name: serving_default"),
        ("Classify", "sum", "Expected one input Tensor."),
        (
            "Classify",
            "regress_x_to_y",
            'contain at least one of "classes" or "scores". Signature was: inputs {',
        ),
        ("Classify", "classes_of_numbers", "Expected classes Tensor of DT_STRING. Got: DT_FLOAT"),
        ("Classify", "scores_of_rank_1", "Expected Tensor shape: [batch_size num_classes] but got [2]"),
        ("Classify", "scores_of_doubles", "Expected scores Tensor of DT_FLOAT. Got: DT_DOUBLE"),
        (
            "Classify",
            "one_class_two_scores",
            "Tensors class and score should match in dim_size(1). Got 1 vs. 2",
        ),
        ("Regress", "classify_x_to_y", "No regression outputs found in SignatureDef: inputs {"),
        ("Regress", "classes_and_other", "Expected one output Tensor."),
        ("Regress", "outputs_of_integers", "Expected output Tensor of DT_FLOAT.  Got: DT_INT32"),
        ("Regress", "outputs_of_pairs", "[batch_size] or [batch_size, 1] but got [2,2]"),
        ("Regress", "one_output", "Input batch size did not match output batch size: 2 vs. 1"),
        ("Regress", "regress_other", "StringToNumberOp could not correctly convert string"),
    ],
)
def test_signatures_that_cannot_be_evaluated_are_refused(
    client: Client, method: str, signature: str, message: str
) -> None:
    kind = (
        classification_pb2.ClassificationRequest if method == "Classify" else regression_pb2.RegressionRequest
    )

    got, text = failure(getattr(client.predictions, method), asking(kind, signature, examples(2, 4)))

    assert got == Status.INVALID_ARGUMENT
    assert message in text


def tasks(*evaluations: tuple[str, str], source: Any = None, models: tuple[str, ...] = ("tasks",) * 5) -> Any:
    """Return a MultiInferenceRequest for pairs of a signature and a method."""
    asked = inference_pb2.MultiInferenceRequest()
    for (signature, method), model in zip(evaluations, models, strict=False):
        asked.tasks.add(model_spec={"name": model, "signature_name": signature}, method_name=method)
    if source is not None:
        asked.input.CopyFrom(source)
    return asked


@pytest.mark.parametrize("source", [None, examples(), examples(context=1)])
def test_an_example_is_required(client: Client, source: Any) -> None:
    classify = asking(classification_pb2.ClassificationRequest, "classify_x_to_y", source)
    regress = asking(regression_pb2.RegressionRequest, "regress_x_to_y", source)
    both = tasks(("regress_x_to_y", REGRESS), source=source)

    failures = [
        failure(client.predictions.Classify, classify),
        failure(client.predictions.Regress, regress),
        failure(client.predictions.MultiInference, both),
    ]

    assert failures == [(Status.INVALID_ARGUMENT, "Input is empty.")] * 3


def test_several_signatures_run_at_once(client: Client, rpc_monitor: Monitor) -> None:
    evaluations = [("regress_x_to_y", REGRESS), ("classify_x_to_y", CLASSIFY), ("regress_x_to_y2", REGRESS)]

    answer = client.predictions.MultiInference(tasks(*evaluations, source=examples(2, 4)))

    first, second, third = answer.results
    assert [one.value for one in first.regression_result.regressions] == [3.0, 4.0]
    assert [row.classes[0].score for row in second.classification_result.classifications] == [3.0, 4.0]
    assert [one.value for one in third.regression_result.regressions] == [4.0, 5.0]
    specs = [
        (one.model_spec.name, one.model_spec.version.value, one.model_spec.signature_name)
        for one in answer.results
    ]
    assert specs == [("tasks", 3, name) for name, _ in evaluations]
    assert b':tensorflow:serving:request_example_count_total{model="tasks"} 2' in rpc_monitor.text()


@pytest.mark.parametrize(
    ("asked", "status", "message"),
    [
        (tasks(), Status.INVALID_ARGUMENT, "ModelSpec has no name specified."),
        (
            tasks(("regress_x_to_y", REGRESS), ("regress_x_to_y", REGRESS), models=("tasks", "toy")),
            Status.INVALID_ARGUMENT,
            "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
        ),
        (
            tasks(("regress_x_to_y", REGRESS), ("regress_x_to_y", REGRESS), models=("tasks", "")),
            Status.INVALID_ARGUMENT,
            "Found ModelSpec with an empty model name.",
        ),
        (
            tasks(("regress_x_to_y", REGRESS), ("regress_x_to_y", REGRESS)),
            Status.INVALID_ARGUMENT,
            "Duplicate evaluation of signature: regress_x_to_y",
        ),
        (
            tasks(("nope", REGRESS)),
            Status.INVALID_ARGUMENT,
            "Requested signature not found in model graph: nope",
        ),
        (
            tasks(("sum", "tensorflow/serving/predict")),
            Status.UNIMPLEMENTED,
            "Unsupported signature method_name: tensorflow/serving/predict",
        ),
        (tasks(("sum", CLASSIFY)), Status.INVALID_ARGUMENT, "Expected one input Tensor."),
        (
            tasks(("regress_x_to_y", REGRESS), ("regress_other", REGRESS)),
            Status.INVALID_ARGUMENT,
            "Input tensor must be the same for all Signatures.",
        ),
    ],
)
def test_incompatible_tasks_are_refused(client: Client, asked: Any, status: Status, message: str) -> None:
    asked.input.CopyFrom(examples(1))

    assert failure(client.predictions.MultiInference, asked) == (status, message)
