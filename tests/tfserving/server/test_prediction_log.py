"""Logged requests are replayed against a model."""

from collections.abc import Iterator
from typing import Any

import pytest
from tensorflow_serving.apis import prediction_log_pb2

from tests.tfserving import toys
from tests.tfserving.server.rpc_client import examples, request
from tfserving.server import prediction_log
from tfserving.server.errors import Code, ServingError
from tfserving.server.graph.saved import Runtime, SavedModel


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SavedModel]:
    model = SavedModel(toys.save_tasks(tmp_path_factory.mktemp("tasks") / "1"), Runtime())
    yield model
    model.close()


def log(kind: str, signature: str = "", inputs: Any = None) -> Any:
    """Return a PredictionLog of a request."""
    logged = prediction_log_pb2.PredictionLog()
    asked = getattr(logged, kind).request
    if kind == "multi_inference_log":
        spec = {"name": "another", "signature_name": signature}
        asked.tasks.add(model_spec=spec, method_name="tensorflow/serving/regress")
    else:
        asked.model_spec.signature_name = signature
    if inputs is not None:
        asked.input.CopyFrom(inputs)
    return logged


def logged_predict(**inputs: Any) -> Any:
    """Return a PredictionLog of a PredictRequest."""
    return prediction_log_pb2.PredictionLog(predict_log={"request": request("sum", "another", **inputs)})


@pytest.mark.parametrize(
    ("logged", "signature"),
    [
        (logged_predict(a=[1.0]), "sum"),
        (log("classify_log", "classify_x_to_y", examples(1)), "classify_x_to_y"),
        (log("regress_log", "regress_x_to_y", examples(1)), "regress_x_to_y"),
        (log("multi_inference_log", "regress_x_to_y", examples(1)), "regress_x_to_y"),
        (prediction_log_pb2.PredictionLog(), None),
    ],
)
def test_a_request_is_run(
    model: SavedModel, monkeypatch: pytest.MonkeyPatch, logged: Any, signature: str | None
) -> None:
    ran = []
    run = model.run

    def noting(name: str, *arguments: Any) -> Any:
        ran.append(name)
        return run(name, *arguments)

    monkeypatch.setattr(model, "run", noting)

    prediction_log.replay(model, logged)

    assert ran == ([signature] if signature else [])


@pytest.mark.parametrize(
    ("logged", "code"),
    [
        (logged_predict(a=[1]), Code.INVALID_ARGUMENT),
        (log("predict_log", "nope"), Code.FAILED_PRECONDITION),
        (log("classify_log", "classify_x_to_y"), Code.INVALID_ARGUMENT),
        (log("regress_log", "regress_x_to_y", examples(None)), Code.INVALID_ARGUMENT),
        (log("multi_inference_log", "sum", examples(1)), Code.INVALID_ARGUMENT),
        (prediction_log_pb2.PredictionLog(session_run_log={}), Code.UNIMPLEMENTED),
    ],
)
def test_a_request_that_cannot_be_run_is_reported(model: SavedModel, logged: Any, code: Code) -> None:
    with pytest.raises(ServingError) as caught:
        prediction_log.replay(model, logged)

    assert caught.value.code == code
