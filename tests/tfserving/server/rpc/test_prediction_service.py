"""The gRPC service finds the requested model, and returns its metadata."""

from typing import Any

import pytest
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    predict_pb2,
    regression_pb2,
)

from tests.tfserving.server.rpc_client import Client, Status, failure
from tfserving.runtime import tf


@pytest.mark.parametrize(
    ("choice", "status", "message"),
    [
        ({"version": {"value": 7}}, Status.NOT_FOUND, "Servable not found for request: Specific(toy, 7)"),
        ({"version": {"value": -7}}, Status.NOT_FOUND, "Servable not found for request: Specific(toy, -7)"),
        ({"version_label": "x"}, Status.INVALID_ARGUMENT, "Unrecognized servable version label: x"),
        ({"version_label": ""}, Status.INVALID_ARGUMENT, "Unrecognized servable version label: "),
    ],
)
@pytest.mark.parametrize("method", ["Predict", "Classify", "Regress", "GetModelMetadata", "MultiInference"])
def test_missing_versions_and_labels_are_reported(
    client: Client, method: str, choice: Any, status: Status, message: str
) -> None:
    spec = {"name": "toy", **choice}
    asked = {
        "Predict": predict_pb2.PredictRequest(model_spec=spec),
        "Classify": classification_pb2.ClassificationRequest(model_spec=spec),
        "Regress": regression_pb2.RegressionRequest(model_spec=spec),
        "GetModelMetadata": get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=spec, metadata_field=["signature_def"]
        ),
        "MultiInference": inference_pb2.MultiInferenceRequest(tasks=[{"model_spec": spec}]),
    }[method]

    assert failure(getattr(client.predictions, method), asked) == (status, message)


@pytest.mark.parametrize(
    ("method", "asked"),
    [
        ("Predict", predict_pb2.PredictRequest()),
        ("Classify", classification_pb2.ClassificationRequest()),
        ("Regress", regression_pb2.RegressionRequest()),
        ("GetModelMetadata", get_model_metadata_pb2.GetModelMetadataRequest()),
    ],
)
def test_a_request_names_its_model(client: Client, method: str, asked: Any) -> None:
    answer = failure(getattr(client.predictions, method), asked)

    assert answer == (Status.INVALID_ARGUMENT, "Missing ModelSpec")


def test_metadata(client: Client) -> None:
    asked = get_model_metadata_pb2.GetModelMetadataRequest(
        model_spec={"name": "toy"}, metadata_field=["signature_def"]
    )

    answer = client.predictions.GetModelMetadata(asked)

    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    assert set(signatures.signature_def) >= {"serving_default", "two", "__saved_model_init_op"}
    assert signatures.signature_def["two"].outputs["sum"].dtype == tf.int32.as_datatype_enum
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("toy", 1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([], "GetModelMetadataRequest must specify at least one metadata_field"),
        (["signature_def", "x"], "Metadata field x is not supported"),
    ],
)
def test_unknown_metadata_fields_are_refused(client: Client, fields: list[str], message: str) -> None:
    asked = get_model_metadata_pb2.GetModelMetadataRequest(model_spec={"name": "nope"}, metadata_field=fields)

    assert failure(client.predictions.GetModelMetadata, asked) == (Status.INVALID_ARGUMENT, message)
