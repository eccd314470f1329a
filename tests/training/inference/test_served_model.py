from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from pipeline.model_server.errors import ModelError
from pipeline.model_server.tensors import Signature, TensorInfo, Tensors
from pipeline.service.workers import Pulse
from tests.training.inference.fakes import Stopping
from training.inference.model import AwayError, RefusedError
from training.inference.served_model import ServedModel


class FakeClient:
    """Answers with `outputs`, after the errors in `errors`."""

    version = 1

    def __init__(self, dtype: str = "float32", shape: tuple[int, ...] | None = (-1, 2, 2)) -> None:
        self.inputs = {"x": TensorInfo(dtype, shape)}
        self.outputs: dict[str, Any] = {"": np.zeros((1, 3))}
        self.errors = list[Exception]()
        self.asked = list[dict[str, Any]]()
        self.described = 0
        self.why: str | None = None
        self.is_closed = False

    def predict(self, inputs: Tensors, wanted: Sequence[str] = ()) -> dict[str, Any]:
        assert not wanted
        self.asked.append(dict(inputs))
        if self.errors:
            raise self.errors.pop(0)
        return self.outputs

    def signature(self) -> Signature:
        self.described += 1
        return Signature(self.inputs, {})

    def missing(self) -> str | None:
        return self.why

    def close(self) -> None:
        self.is_closed = True


def test_rows_get_the_type_and_the_shape_of_the_signature() -> None:
    client = FakeClient()
    model = ServedModel(client)

    found = model.predict(np.array([[1, 2, 3, 4]], np.uint8), [b""])

    assert found.tolist() == [[0, 0, 0]]
    (asked,) = client.asked
    assert asked["x"].dtype == np.float32
    assert asked["x"].tolist() == [[[1, 2], [3, 4]]]
    model.predict(np.array([[1, 2, 3, 4]], np.uint8), [b""])
    assert client.described == 1
    model.close()
    assert client.is_closed


@pytest.mark.parametrize("shape", [None, (-1, -1), (-1, 5)])
def test_rows_that_do_not_fit_are_for_the_server_to_refuse(shape: tuple[int, ...] | None) -> None:
    client = FakeClient(shape=shape)

    ServedModel(client).predict(np.array([[1, 2, 3, 4]], np.float32), [b""])

    assert client.asked[0]["x"].shape == (1, 4)


def test_models_for_pictures_get_the_jpegs_and_give_no_background() -> None:
    client = FakeClient()
    client.inputs = {"image_bytes": TensorInfo("string", (-1,))}
    client.outputs = {
        "classes": np.array([2], np.int64),
        "probabilities": np.array([[0, 0.25, 0.75]], np.float32),
    }

    found = ServedModel(client).predict(np.zeros((1, 4, 4, 3), np.uint8), [b"jpeg"])

    assert found.tolist() == [[0.25, 0.75]]
    assert client.asked[0]["image_bytes"].tolist() == [b"jpeg"]


def test_texts() -> None:
    client = FakeClient("string", (-1, 1))

    ServedModel(client).predict(np.array([["é"]], object), [b""])

    assert client.asked[0]["x"].tolist() == [["é".encode()]]


def test_what_does_not_suit_the_model_is_refused() -> None:
    with pytest.raises(RefusedError, match="the message has uint8, but the model expects texts"):
        ServedModel(FakeClient("string", (-1, 1))).predict(np.array([[1]], np.uint8), [b""])
    with pytest.raises(RefusedError, match="the message has texts, but the model expects float32"):
        ServedModel(FakeClient()).predict(np.array([["a"]], object), [b""])


def test_models_of_several_inputs_or_outputs_are_refused() -> None:
    client = FakeClient()
    client.outputs = {"a": np.zeros((1, 1)), "b": np.zeros((1, 1))}
    with pytest.raises(RefusedError, match="the model has the outputs a, b: expected one"):
        ServedModel(client).predict(np.array([[1, 2, 3, 4]], np.uint8), [b""])

    client.inputs["y"] = client.inputs["x"]
    with pytest.raises(RefusedError, match="the model has the inputs x, y: expected one"):
        ServedModel(client).predict(np.array([[1, 2, 3, 4]], np.uint8), [b""])


def test_an_answer_for_other_samples_is_refused() -> None:
    with pytest.raises(RefusedError, match="for 2 samples"):
        ServedModel(FakeClient()).predict(np.zeros((2, 4), np.uint8), [b"", b""])


def test_a_request_that_the_server_rejects_is_not_repeated_but_one_without_answer_is() -> None:
    client = FakeClient()
    client.errors = [
        ModelError("http_400", "the shape does not fit", refused=True),
        ModelError("timeout", "no answer within 5 s"),
    ]
    model = ServedModel(client)
    rows = np.array([[1, 2, 3, 4]], np.uint8)

    with pytest.raises(RefusedError, match="the shape does not fit"):
        model.predict(rows, [b""])
    with pytest.raises(AwayError, match="no answer within 5 s"):
        model.predict(rows, [b""])
    assert model.unready() == "no answer within 5 s"

    model.predict(rows, [b""])
    assert model.unready() is None
    assert client.described == 2


def test_it_looks_whether_the_server_has_the_model() -> None:
    client = FakeClient()
    client.why = "the server is still loading the model"
    model = ServedModel(client)
    assert model.unready() == "the model's server has not been asked yet"

    model.run(Pulse(Stopping(2)))

    assert model.unready() == "the server is still loading the model"


def test_a_part_of_a_chain_has_two_outputs() -> None:
    client = FakeClient()
    client.outputs = {"output_1": np.ones((1, 3)), "output_0": np.zeros((1, 8))}
    rows = np.array([[1, 2, 3, 4]], np.uint8)

    upper, own = ServedModel(client, is_part=True).predict_both(rows, [b""])

    assert (upper.shape, own.shape) == ((1, 8), (1, 3))
    assert ServedModel(client, is_part=True).predict(rows, [b""]).tolist() == [[1, 1, 1]]
    with pytest.raises(RefusedError, match="the outputs output_1, output_0: expected one"):
        ServedModel(client).predict(rows, [b""])
    client.outputs = {"": np.ones((1, 3))}
    assert ServedModel(client, is_part=True).predict(rows, [b""]).tolist() == [[1, 1, 1]]
    with pytest.raises(RefusedError, match="expected two, for early exits"):
        ServedModel(client, is_part=True).predict_both(rows, [b""])
