"""Predict requests, by row and by column, become one tensor per input."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.tfserving.server.strategies import BODIES
from tfserving.server.errors import Code, ServingError
from tfserving.server.rest import request

X = {"x": "float32"}
AB = {"a": "int32", "b": "int32"}


def feeds(body: Any, inputs: Mapping[str, str]) -> dict[str, Any]:
    """Return a body's tensors as lists."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    tensors = request.feeds(request.read(text), inputs)
    return {alias: tensor.tolist() for alias, tensor in tensors.items()}


def failure(body: Any, inputs: Mapping[str, str]) -> ServingError:
    with pytest.raises(ServingError) as caught:
        feeds(body, inputs)
    return caught.value


@given(arrays.arrays(np.int32, st.tuples(st.integers(1, 4), st.integers(0, 3), st.integers(1, 3))))
def test_rows_are_stacked(tensor: np.ndarray) -> None:
    rows = tensor.tolist()

    plain = feeds({"instances": rows}, {"x": "int32"})
    named = feeds({"instances": [{"a": row, "b": row} for row in rows]}, AB)

    assert plain == {"x": rows}
    assert named == {"a": rows, "b": rows}


@pytest.mark.parametrize(
    ("body", "inputs", "expected"),
    [
        ({"instances": [1, 2]}, X, {"x": [1.0, 2.0]}),
        ({"instances": [{"x": 1}, {"x": 2}]}, X, {"x": [1.0, 2.0]}),
        ({"instances": [{"b64": "QQ=="}, "b"]}, {"s": "string"}, {"s": [b"A", b"b"]}),
        ({"instances": [{"s": {"b64": "QQ=="}}]}, {"s": "string"}, {"s": [b"A"]}),
        ({"inputs": 1}, X, {"x": 1.0}),
        ({"inputs": []}, X, {"x": []}),
        ({"inputs": {"b64": "QQ=="}}, {"s": "string"}, {"s": b"A"}),
        ({"inputs": {"a": [1], "b": [[2, 3]], "c": 4}}, AB, {"a": [1], "b": [[2, 3]]}),
        (b'{"instances": [1], "instances": [2]} x', X, {"x": [1.0]}),
    ],
)
def test_both_formats(body: Any, inputs: Mapping[str, str], expected: dict[str, Any]) -> None:
    assert feeds(body, inputs) == expected


@pytest.mark.parametrize(
    ("body", "inputs", "message"),
    [
        ([], X, "JSON Value: [] Is not object"),
        (
            {"signature_name": None},
            X,
            "not formatted correctly. 'signature_name' key must be a string value.",
        ),
        ({}, X, "Missing 'inputs' or 'instances' key"),
        ({"inputs": 1, "instances": 2}, X, "expecting only one of 'inputs' or 'instances' keys to exist"),
        ({"instances": 1}, X, "Expecting 'instances' to be an list/array"),
        ({"instances": []}, X, "No values in 'instances' array"),
        ({"instances": [{"x": 1}, 2]}, X, "Expecting object but got list at item 1 of input list"),
        ({"instances": [1, {"x": 1}]}, X, "Expecting value/list but got object at item 1 of input list"),
        ({"instances": [1]}, AB, "instances is a plain list, but expecting list of objects as multiple"),
        (
            {"instances": [{"y": 1}]},
            X,
            "Failed to process element: 0 key: y of 'instances' list."
            " Error: INVALID_ARGUMENT: JSON object: does not have named input: y",
        ),
        ({"instances": [1, {"a": 1}]}, AB, "instances is a plain list, but expecting list of objects"),
        ({"instances": [{"x": True}, 2]}, X, "Failed to process element: 0 key: x of 'instances' list."),
        ({"instances": [[1], [1, 2], {"x": 1}]}, X, "Failed to process element: 1 of 'instances' list."),
        ({"instances": [{"b64": 1}]}, X, "JSON object: does not have named input: b64"),
        (
            {"instances": [{"a": 1, "b": 1}, {"b": 1}]},
            AB,
            "Failed to process element: 1 of 'instances' list."
            ' JSON object: {"b":1} keys must be equal to: a,b',
        ),
        (
            {"instances": [{"x": [1]}, {"x": [1, 2]}]},
            X,
            "Failed to process element: 1 key: x of 'instances' list."
            " Error: INVALID_ARGUMENT: Expecting tensor size: 1 but got: 2",
        ),
        ({"instances": [[[1, 2]], [[1], [2]]]}, X, "Expecting shape [1,2] but got: [2,1]"),
        ({"instances": [1, [2]]}, X, "Expecting shape [] but got: [1]"),
        ({"instances": ["a"]}, X, "element: 0 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: "),
        (
            {"inputs": 1},
            AB,
            "inputs is a plain value/list, but expecting an object as multiple input tensors",
        ),
        ({"inputs": {"a": 1}}, AB, "Missing named input: b in 'inputs' object."),
    ],
)
def test_wrong_requests_are_refused(body: Any, inputs: Mapping[str, str], message: str) -> None:
    error = failure(body, inputs)

    assert error.code == Code.INVALID_ARGUMENT
    assert message in error.message


def test_a_dtype_without_json_values_is_unimplemented_by_column_and_invalid_by_row() -> None:
    column = failure({"inputs": [1]}, {"x": "float16"})
    row = failure({"instances": [1]}, {"x": "float16"})

    assert column.code == Code.UNIMPLEMENTED
    assert row.code == Code.INVALID_ARGUMENT
    assert "Error: UNIMPLEMENTED: Conversion of JSON Value: 1 to type: half" in row.message


@given(
    BODIES | BODIES.map(lambda body: b'{"instances": [' + body + b"]}"),
    st.sampled_from([X, AB, {"s": "string"}]),
)
def test_any_body_is_read_or_refused(body: bytes, inputs: Mapping[str, str]) -> None:
    with suppress(ServingError):
        assert set(feeds(body, inputs)) == set(inputs)
