"""Model status and config reloads over gRPC."""

import logging
import threading
from typing import Any, cast

import pytest
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
)

from tests.tfserving.server.rpc_client import Client, Status, failure
from tfserving.server.errors import Code, ServingError
from tfserving.server.models.catalog import Catalog
from tfserving.server.rpc.calls import LONGEST_CALL, Call, Outcome
from tfserving.server.rpc.model_service import ModelService, reload


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


class Loading:
    """A catalog whose models take until the deadline, or until `may_end`."""

    def __init__(self) -> None:
        self.has_begun, self.may_end = threading.Event(), threading.Event()
        self.timeouts: list[float] = []

    def reload(self, _: object, timeout: float) -> None:
        """Wait."""
        self.timeouts.append(timeout)
        self.has_begun.set()
        if not self.may_end.wait(timeout):
            raise ServingError(Code.DEADLINE_EXCEEDED, "Not available")


def test_a_reload_ends_at_its_deadline_and_holds_one_thread_only() -> None:
    catalog, answers = Loading(), list[Outcome]()
    service = ModelService(cast("Catalog", catalog))
    asked = model_management_pb2.ReloadConfigRequest(config={"model_config_list": {}})
    first = threading.Thread(
        target=lambda: answers.append(service.HandleReloadConfigRequest(asked, Call(None)))
    )
    first.start()
    assert catalog.has_begun.wait(20)

    assert service.HandleReloadConfigRequest(asked, Call(None))[1] == Code.UNAVAILABLE
    catalog.may_end.set()
    first.join(20)
    catalog.may_end.clear()

    assert answers[0][1] == Code.OK
    assert service.HandleReloadConfigRequest(asked, Call(0.1))[1] == Code.DEADLINE_EXCEEDED
    assert catalog.timeouts[0] <= LONGEST_CALL
    assert catalog.timeouts[1] <= 0.1


class Models:
    """Accepts any config."""

    def reload(self, *_: Any) -> None:
        pass


def test_a_reload_logs_one_line_per_model_whatever_the_client_sends(caplog: pytest.LogCaptureFixture) -> None:
    request = model_management_pb2.ReloadConfigRequest()
    request.config.model_config_list.config.add(name="a\nb", base_path="/" + "x" * 10_000)
    with caplog.at_level(logging.INFO):
        reload(cast("Catalog", Models()), request, 1.0)

    (message,) = caplog.messages
    assert "\n" not in message
    assert len(message) < 2_000


def test_a_reload_of_many_models_logs_the_first_ones(caplog: pytest.LogCaptureFixture) -> None:
    request = model_management_pb2.ReloadConfigRequest()
    for number in range(1000):
        request.config.model_config_list.config.add(name=str(number), base_path="/models")
    with caplog.at_level(logging.INFO):
        reload(cast("Catalog", Models()), request, 1.0)

    assert len(caplog.messages) == 21
    assert caplog.messages[-1] == "Config entries: 1000 in all"
