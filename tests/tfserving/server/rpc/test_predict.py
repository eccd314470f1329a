"""Predict over gRPC."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_serving.apis import (
    predict_pb2,
)

from tests.tfserving import toys
from tests.tfserving.server.rpc_client import Client, Status, failure, request
from tfserving.runtime import tf

BROKEN = type(tf.make_tensor_proto(0))(dtype=1, tensor_content=b"abc")
KNOWN = {Status.OK, Status.INVALID_ARGUMENT, Status.NOT_FOUND, Status.FAILED_PRECONDITION}

SIGNATURES = ["", "two", "join", "matrix", "scalar", "string", "int8", "classify", "sum", "no_input", "nope"]
ALIASES = st.sampled_from(["x", "a", "b", "s", "y", "inputs", ""])
PROTOS = st.builds(
    type(BROKEN),
    dtype=st.integers(-1, 30),
    tensor_shape=st.fixed_dictionaries(
        {"dim": st.lists(st.fixed_dictionaries({"size": st.integers(-1, 3)}), max_size=3)}
    ),
    tensor_content=st.just(b"") | st.binary(max_size=24),
    float_val=st.lists(st.floats(width=32), max_size=3),
    int_val=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3),
    string_val=st.lists(st.binary(max_size=3), max_size=3),
)
REQUESTS = st.builds(
    predict_pb2.PredictRequest,
    model_spec=st.fixed_dictionaries(
        {
            "name": st.sampled_from(["toy", "tasks", "nope", ""]),
            "signature_name": st.sampled_from(SIGNATURES),
        },
        optional={"version_label": st.text(max_size=3)},
    ),
    inputs=st.dictionaries(ALIASES, PROTOS, max_size=3),
    output_filter=st.lists(st.sampled_from(["y", "sum", "text", "nope"]), max_size=2),
)


def test_predict(client: Client) -> None:
    answer = client.predictions.Predict(request(x=[1.0, 2.5]))

    assert tf.make_ndarray(answer.outputs["y"]).tolist() == [2.0, 5.0]
    assert list(answer.outputs["y"].float_val) == [2.0, 5.0]
    assert not answer.outputs["y"].tensor_content
    spec = answer.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("toy", 1, "serving_default")


@pytest.mark.parametrize("dtype", toys.DTYPES)
def test_each_type_is_carried(client: Client, dtype: str) -> None:
    tensor = (
        np.array([b"a", b"\xff"], object)
        if dtype == "string"
        else np.ones(2, tf.as_dtype(dtype).as_numpy_dtype)
    )

    answer = client.predictions.Predict(request(dtype, x=tensor))

    output = tf.make_ndarray(answer.outputs["y"])
    assert (output.dtype, output.tolist()) == (tensor.dtype, tensor.tolist())
    assert answer.model_spec.signature_name == dtype


@pytest.mark.parametrize("shape", [(2,), (2, 2), (), (0,)])
def test_declared_shapes_are_not_enforced(client: Client, shape: tuple[int, ...]) -> None:
    answer = client.predictions.Predict(request(x=np.ones(shape, np.float32)))

    assert tf.make_ndarray(answer.outputs["y"]).shape == shape


def test_a_large_tensor_is_carried(client: Client) -> None:
    tensor = np.arange(2_000_000, dtype=np.float32)

    answer = client.predictions.Predict(request(x=tensor))

    assert (tf.make_ndarray(answer.outputs["y"]) == tensor * 2).all()


def test_a_version_can_be_requested(client: Client) -> None:
    asked = request(x=[1.0])
    asked.model_spec.version.value = 1

    assert client.predictions.Predict(asked).model_spec.version.value == 1


@pytest.mark.parametrize("selected", [["sum"], ["text_bytes", "sum"], []])
def test_outputs_can_be_selected(client: Client, selected: list[str]) -> None:
    asked = request("two", a=np.array([1], np.int32), b=np.array([2], np.int32))
    asked.output_filter.extend(selected)

    assert set(client.predictions.Predict(asked).outputs) == set(selected or ["sum", "text_bytes"])


def test_an_input_may_have_a_default_value(client: Client) -> None:
    alone = client.predictions.Predict(request("sum", "tasks", a=[1.0]))
    both = client.predictions.Predict(request("sum", "tasks", a=[1.0], b=[2.0]))

    assert [tf.make_ndarray(answer.outputs["sum"]).tolist() for answer in (alone, both)] == [[11.0], [3.0]]


@pytest.mark.parametrize(
    ("asked", "status", "message"),
    [
        (request(model="", x=[1.0]), Status.INVALID_ARGUMENT, "ModelSpec has no name specified."),
        (request(model="nope"), Status.NOT_FOUND, "Servable not found for request: Latest(nope)"),
        (
            request("nope", x=[1.0]),
            Status.FAILED_PRECONDITION,
            'Serving signature key "nope" not found.',
        ),
        (
            request("two", b=[1], c=[1], d=[1]),
            Status.INVALID_ARGUMENT,
            "input size does not match signature: 3!=2 len({b,c,d}) != len({a,b})."
            " Sent extra: {c,d}. Missing but required: {a}.",
        ),
        (
            request(),
            Status.INVALID_ARGUMENT,
            "input size does not match signature: 0!=1 len({}) != len({x}).",
        ),
        (request(z=[1.0]), Status.INVALID_ARGUMENT, "Signature input alias: x(feed name: "),
        (
            request("sum", "tasks", b=[1.0]),
            Status.INVALID_ARGUMENT,
            "Signature input alias: a(feed name: a:0)",
        ),
        (
            request("sum", "tasks", a=[1.0], c=[1.0]),
            Status.INVALID_ARGUMENT,
            "Inputs contains invalid name. Used request inputs: a, request input: a,c",
        ),
        (request(x=BROKEN), Status.INVALID_ARGUMENT, "tensor parsing error: x"),
        (request(x=[1]), Status.INVALID_ARGUMENT, "to be float but int32 is provided"),
        (
            request("matrix", x=np.ones((1, 3), np.float32)),
            Status.INVALID_ARGUMENT,
            "Matrix size-incompatible",
        ),
        (request("__saved_model_init_op"), Status.INVALID_ARGUMENT, "NoOp"),
    ],
)
def test_wrong_requests_are_refused(client: Client, asked: Any, status: Status, message: str) -> None:
    got, text = failure(client.predictions.Predict, asked)

    assert got == status
    assert message in text


@pytest.mark.parametrize(
    ("selected", "message"),
    [
        (["nope"], "output tensor alias not found in signature: nope Outputs expected to be in the set {y}."),
        (["y", "y"], "duplicate output tensor alias: y"),
    ],
)
def test_outputs_that_cannot_be_selected_are_refused(
    client: Client, selected: list[str], message: str
) -> None:
    asked = request(x=[1.0])
    asked.output_filter.extend(selected)

    assert failure(client.predictions.Predict, asked) == (Status.INVALID_ARGUMENT, message)


@given(REQUESTS)
@settings(deadline=None)
def test_any_request_is_answered_or_refused(client: Client, asked: Any) -> None:
    call = client.predictions.Predict.future(asked, timeout=20)

    assert call.code() in KNOWN, call.details()
    if call.code() == Status.OK:
        assert call.result().model_spec.name == asked.model_spec.name
        assert set(asked.output_filter) in (set(call.result().outputs), set())
