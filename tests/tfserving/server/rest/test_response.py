"""Responses in row and in column format."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tfserving.server.errors import ServingError
from tfserving.server.rest import response

TWO = {"b": np.array([[1], [2]]), "a": np.array([True, False])}


@pytest.mark.parametrize(
    ("outputs", "row", "expected"),
    [
        ({"y": np.array([1.5, 2])}, True, {"predictions": [1.5, 2.0]}),
        ({"y": np.array([[1], [2]])}, False, {"outputs": [[1], [2]]}),
        (TWO, True, {"predictions": [{"a": True, "b": [1]}, {"a": False, "b": [2]}]}),
        (TWO, False, {"outputs": {"a": [True, False], "b": [[1], [2]]}}),
        ({"y": np.array(3)}, False, {"outputs": 3}),
        ({"y": np.zeros(0)}, True, {"predictions": []}),
        ({"y": np.zeros((2, 0))}, True, {"predictions": [[], []]}),
    ],
)
def test_one_output_is_unnamed_and_several_are_named(
    outputs: Mapping[str, np.ndarray], row: bool, expected: Any
) -> None:
    assert json.loads(response.text(outputs, row=row)) == expected


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"y": np.array(1)}, "Tensor name: y has no shape information"),
        (
            {"a": np.zeros(2), "b": np.zeros(3)},
            "Tensor name: b has inconsistent batch size: 3 expecting: 2",
        ),
    ],
)
def test_rows_need_a_common_batch(outputs: Mapping[str, np.ndarray], message: str) -> None:
    with pytest.raises(ServingError, match=message):
        response.text(outputs, row=True)


@pytest.mark.parametrize("row", [False, True])
def test_an_answer_needs_an_output(row: bool) -> None:
    with pytest.raises(ServingError, match="Cannot convert empty tensor map to JSON"):
        response.text({}, row=row)
