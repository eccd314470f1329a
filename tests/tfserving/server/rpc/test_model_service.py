"""Model status and config reloads over gRPC."""

from typing import Any

import pytest
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
)

from tests.tfserving.server.rpc_client import Client, Status, failure


@pytest.mark.parametrize("choice", [{}, {"version": {"value": 1}}, {"version_label": "x"}])
def test_status(client: Client, choice: Any) -> None:
    asked = get_model_status_pb2.GetModelStatusRequest(model_spec={"name": "toy", **choice})

    (status,) = client.models.GetModelStatus(asked).model_version_status

    assert (status.version, status.state, status.status.error_code) == (1, 30, 0)
    assert status.HasField("status")


@pytest.mark.parametrize(
    ("asked", "status", "message"),
    [
        ({}, Status.INVALID_ARGUMENT, "Missing ModelSpec"),
        ({"model_spec": {"name": "nope"}}, Status.NOT_FOUND, "Could not find any versions of model nope"),
        (
            {"model_spec": {"name": "toy", "version": {"value": 2}}},
            Status.NOT_FOUND,
            "Could not find version 2 of model toy",
        ),
    ],
)
def test_the_status_of_a_missing_model_or_version_is_not_found(
    client: Client, asked: Any, status: Status, message: str
) -> None:
    answer = failure(client.models.GetModelStatus, get_model_status_pb2.GetModelStatusRequest(**asked))

    assert answer == (status, message)


@pytest.mark.parametrize("config", [{}, {"custom_model_config": {}}])
def test_only_lists_of_models_can_be_loaded(client: Client, config: Any) -> None:
    asked = model_management_pb2.ReloadConfigRequest(config=config)

    status, message = failure(client.models.HandleReloadConfigRequest, asked)

    assert status == Status.INVALID_ARGUMENT
    assert message.endswith("Only ModelConfigList is currently supported")
