"""Tensors are written as TensorFlow Serving writes them."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tfserving.server.errors import ServingError
from tfserving.server.json import write


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (np.float32(3), "3.0"),
        (np.float32(9_000_000), "9e+06"),
        (np.float32(0.00003), "3e-05"),
        (np.float32(0.1), "0.1"),
        (np.float32(1 / 3), "0.333333343"),
        (np.float64(1 / 3), "0.33333333333333331"),
        (np.float64(-0.0), "-0.0"),
        (np.float64("nan"), "NaN"),
        (np.float32("inf"), "Infinity"),
        (np.float32("-inf"), "-Infinity"),
        (np.float32(123456789), "123456792.0"),
        (np.float64(1e300), "1e+300"),
    ],
)
def test_numbers_have_six_digits_or_as_many_as_they_need(number: np.floating[Any], text: str) -> None:
    assert write.reals(np.array([number])) == [text.encode()]


@given(arrays.arrays(np.float32, st.integers(0, 20), elements=st.floats(width=32)))
def test_the_text_of_a_float32_reads_back_as_the_same_number(numbers: np.ndarray) -> None:
    texts = write.reals(numbers)

    back = np.array([np.float32(text.decode()) for text in texts], np.float32)
    assert np.array_equal(back, numbers, equal_nan=True)


@given(arrays.arrays(np.float64, st.integers(0, 20)))
def test_the_text_of_a_float64_reads_back_as_the_same_number(numbers: np.ndarray) -> None:
    texts = write.reals(numbers)

    assert np.array_equal(np.array([float(text) for text in texts]), numbers, equal_nan=True)
    assert all(b"." in text or b"e" in text or text.lstrip(b"-").isalpha() for text in texts)


@given(arrays.arrays(np.int64, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0)))
def test_tensors_are_nested_like_their_shape(tensor: np.ndarray) -> None:
    assert json.loads(write.tensor(tensor, "y")) == tensor.tolist()


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "uint32", "int64", "uint64"])
def test_integers_are_plain(dtype: str) -> None:
    ends = np.array([np.iinfo(dtype).min, np.iinfo(dtype).max], dtype)

    assert json.loads(write.tensor(ends, "y")) == ends.tolist()


def test_booleans_are_words() -> None:
    assert write.tensor(np.array([[True], [False]]), "y") == b"[[true], [false]]"


@given(st.lists(st.binary(), max_size=5))
def test_strings_of_a_binary_output_are_base64(strings: list[bytes]) -> None:
    tensor = np.array([*strings, None], object)[:-1]

    values = json.loads(write.tensor(tensor, "picture_bytes"))

    assert [set(value) for value in values] == [{"b64"}] * len(strings)
    assert write.tensor(np.array(b"\xfb\xff", object), "x_bytes") == b'{"b64": "+/8="}'


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_quoted_string_reads_back(text: str) -> None:
    assert json.loads(write.quote(text.encode())) == text


def test_strings_keep_bytes_that_are_not_text() -> None:
    assert write.quote(b'\xff"\\\n\x01') == b'"\xff\\"\\\\\\n\\u0001"'


@pytest.mark.parametrize(
    ("dtype", "name"), [("float16", "half"), ("uint16", "uint16"), ("complex64", "complex64")]
)
def test_other_dtypes_cannot_be_written(dtype: str, name: str) -> None:
    with pytest.raises(ServingError, match=f"Failed to write JSON value for tensor type: {name}"):
        write.tensor(np.zeros(1, dtype), "y")
