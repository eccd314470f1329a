"""JSON values become tensors of the requested dtype, or an error that says why they cannot."""

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tfserving.server.errors import Code, ServingError
from tfserving.server.json import values
from tfserving.server.json.parse import Value, parse


def complaint(value: Value, dtype: str) -> str:
    with pytest.raises(ServingError) as caught:
        values.tensor(value, dtype)
    return caught.value.message


SHAPES = arrays.array_shapes(min_dims=0, max_dims=4)


@given(arrays.arrays(np.float64, SHAPES))
def test_nested_lists_become_a_tensor_of_that_shape(tensor: np.ndarray) -> None:
    value = parse(json.dumps(tensor.tolist()).encode())

    assert np.array_equal(values.tensor(value, "float64"), tensor, equal_nan=True)


@given(arrays.arrays(np.int64, SHAPES))
def test_integers_become_the_same_integers(tensor: np.ndarray) -> None:
    assert np.array_equal(values.tensor(parse(json.dumps(tensor.tolist()).encode()), "int64"), tensor)


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        ([1, 2.5, 1e39, -1e39, 1e-60], "float32", [1.0, 2.5, np.inf, -np.inf, 0.0]),
        ([2**64 - 1], "float64", [1.8446744073709552e19]),
        ([300, -1], "uint8", [44, 255]),
        ([200, -200], "int8", [-56, 56]),
        ([70_000], "int16", [4464]),
        ([2**32 - 1], "uint32", [2**32 - 1]),
        ([2**64 - 1], "uint64", [2**64 - 1]),
        ([True, False], "bool", [True, False]),
        ([], "float32", []),
    ],
)
def test_numbers_are_cast(value: Value, dtype: str, expected: list[float]) -> None:
    tensor = values.tensor(value, dtype)

    assert tensor.dtype == dtype
    assert tensor.tolist() == expected


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        ([1.0], "int32", "JSON Value: 1.0 Type: Number is not of expected type: int32"),
        ([2**31], "int32", "JSON Value: 2147483648 Type: Number is not of expected type: int32"),
        ([2**63], "int64", "Type: Number is not of expected type: int64"),
        ([-1], "uint32", "Type: Number is not of expected type: uint32"),
        ([True], "int32", "JSON Value: true Type: True is not of expected type: int32"),
        ([False], "float32", "JSON Value: false Type: False is not of expected type: float"),
        ([None], "float64", "JSON Value: null Type: Null is not of expected type: double"),
        ([b"a"], "float32", 'JSON Value: "a" Type: String is not of expected type: float'),
        ([{b"b64": b"QQ=="}], "float32", "Type: Object is not of expected type: float"),
        ([1], "bool", "Type: Number is not of expected type: bool"),
        ([1], "string", "Type: Number is not of expected type: string"),
    ],
)
def test_values_of_another_type_are_refused(value: Value, dtype: str, message: str) -> None:
    assert message in complaint(value, dtype)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[1, 2], [3]], "Encountered list at unexpected size: 1 at level: 1 expected size: 2"),
        ([1, [2]], "Encountered list at unexpected level: 1 expected < 1"),
        ([[1], 2], "JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2"),
        ([[], [1]], "Encountered list at unexpected size: 1 at level: 1 expected size: 0"),
        ([[b"a", 1], [2]], 'JSON Value: "a" Type: String is not of expected type: float'),
        ([[1], [2, b"a"]], "Encountered list at unexpected size: 2 at level: 1 expected size: 1"),
        ([[[1], [None]], [2]], "JSON Value: null Type: Null is not of expected type: float"),
    ],
)
def test_lists_of_unequal_shape_report_the_first_mismatch(value: Value, message: str) -> None:
    assert complaint(value, "float32") == message


def test_very_deep_lists_are_refused() -> None:
    assert "nested lists" in complaint(parse(b"[" * 10_000 + b"]" * 10_000), "float32")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "uint16", "complex64", "qint8"])
def test_other_dtypes_have_no_json_values(dtype: str) -> None:
    with pytest.raises(ServingError, match="Conversion of JSON Value: 1 to type: ") as caught:
        values.tensor([1], dtype)

    assert caught.value.code == Code.UNIMPLEMENTED
    assert "Type: Object is not of expected type" in complaint([{b"b64": b""}], dtype)


@given(st.lists(st.binary()))
def test_strings_are_text_or_base64(strings: list[bytes]) -> None:
    value: Value = [{b"b64": base64.b64encode(string)} for string in strings]

    tensor = values.tensor(value, "string")

    assert tensor.tolist() == strings
    assert values.tensor([*strings], "string").tolist() == strings


@given(st.binary())
def test_base64_may_lack_padding_and_contain_whitespace(data: bytes) -> None:
    text = base64.b64encode(data)

    assert values.decode(text.rstrip(b"=")) == data
    assert values.decode(text.replace(b"=", b".")) == data
    assert values.decode(b" " + b"\n".join(text[i : i + 3] for i in range(0, len(text), 3)) + b"\t") == data


@pytest.mark.parametrize("text", [b"Q", b"QQ=", b"QUI==", b"-_8=", b"Q*==", b"QQ==QQ==", "é".encode()])
def test_invalid_base64_is_refused(text: bytes) -> None:
    assert complaint({b"b64": text}, "string") == "Unable to base64 decode"


@pytest.mark.parametrize("value", [{b"b64": 1}, {b"b64": b"", b"x": 1}, {}])
def test_an_object_that_is_not_a_binary_string_is_refused(value: Value) -> None:
    assert "not formatted correctly for base64 data" in complaint([value], "string")
