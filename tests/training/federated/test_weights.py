"""Weights as bytes: what arrives is what was sent, or refused with a reason."""

import hashlib
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from training.federated import weights
from training.federated.weights import Described, Spec, pack, unpack, why_not_finite, why_unlike

KINDS = ["bool", "float16", "float32", "float64", "int8", "int32", "uint64"]
SETS = st.lists(
    st.sampled_from(KINDS).flatmap(lambda name: arrays.arrays(name, arrays.array_shapes(min_dims=0))),
    min_size=1,
    max_size=4,
)
DIGEST = "0" * 64


def test_the_bytes_are_little_endian_and_in_order() -> None:
    described, data = pack([np.array([[1, 2]], ">i2"), np.array(1.0, np.float32)])

    assert data == b"\x01\x00\x02\x00" + b"\x00\x00\x80\x3f"
    assert described.composed() == {
        "arrays": [{"dtype": "int16", "shape": [1, 2]}, {"dtype": "float32", "shape": []}],
        "sha256": hashlib.sha256(data).hexdigest(),
    }


@given(SETS)
def test_weights_return_as_they_were(sent: list[Any]) -> None:
    described, data = pack(sent)

    found = unpack(weights.described(described.composed()), data)

    assert all(
        np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
        for one, other in zip(sent, found, strict=True)
    )
    assert [each.dtype for each in found] == [each.dtype for each in sent]


@pytest.mark.parametrize("kind", [object, "<U3", complex, "datetime64[s]"], ids=str)
def test_what_is_not_numbers_cannot_be_sent(kind: Any) -> None:
    with pytest.raises(ValueError, match="dtype: expected a type of numbers such as float32, found"):
        pack([np.zeros(2, kind)])


def test_other_bytes_are_refused() -> None:
    described, data = pack([np.ones(3, np.float32)])

    with pytest.raises(ValueError, match="its weights have 11 bytes: expected 12"):
        unpack(described, data[:-1])
    with pytest.raises(ValueError, match="the checksum of its weights is wrong: expected SHA-256 "):
        unpack(described, data[:-1] + b"\0")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "weights: expected a JSON object, found []"),
        ({"sha256": DIGEST}, "weights: the field arrays is missing"),
        ({"arrays": [], "sha256": DIGEST}, "arrays: expected a list of 1 to 10000 arrays, found []"),
        ({"arrays": [1], "sha256": DIGEST}, "array: expected a JSON object, found 1"),
        ({"arrays": [{"dtype": "object", "shape": []}]}, "dtype: expected a type of numbers"),
        (
            {"arrays": [{"dtype": "float32", "shape": [-1]}]},
            "shape: expected a whole number from 0, found -1",
        ),
        ({"arrays": [{"dtype": "float32", "shape": [True]}]}, "expected a whole number from 0, found true"),
        ({"arrays": [{"dtype": "float32", "shape": 3}]}, "expected a list of at most 32 sizes, found 3"),
        ({"arrays": [{"dtype": "float32", "shape": [1] * 33}]}, "expected a list of at most 32 sizes"),
        (
            {"arrays": [{"dtype": "float32", "shape": [1]}], "sha256": "X" * 64},
            "expected 64 hexadecimal digits",
        ),
        ({"arrays": [{"dtype": "float32", "shape": [1]}], "sha256": 5}, "sha256: expected a text, found 5"),
    ],
    ids=str,
)
def test_a_description_that_is_none_is_refused(value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)) as found:
        weights.described(value)

    assert "\n" not in str(found.value)


@pytest.mark.exceeds("training.federated.weights.MOST_ARRAYS")
def test_too_many_arrays_are_refused() -> None:
    one = {"dtype": "float32", "shape": [1]}

    with pytest.raises(ValueError, match="expected a list of 1 to 10000 arrays"):
        weights.described({"arrays": [one] * (weights.MOST_ARRAYS + 1), "sha256": DIGEST})


@pytest.mark.exceeds("training.federated.weights.LARGEST_WEIGHTS")
def test_too_many_bytes_are_refused_before_they_are_read() -> None:
    large = weights.LARGEST_WEIGHTS + 1

    with pytest.raises(ValueError, match="expected at most 4294967296 bytes of weights, found 4294967297"):
        weights.described({"arrays": [{"dtype": "uint8", "shape": [large]}], "sha256": DIGEST})
    with pytest.raises(ValueError, match="expected a file of at most 4294967296 bytes"):
        weights.file({"size": large, "sha256": DIGEST})


def test_arrays_are_compared_with_those_of_the_model() -> None:
    expected = [Spec("float32", (3, 4)), Spec("float32", (4,))]

    assert why_unlike(expected, expected) is None
    assert why_unlike(expected[:1], expected) == "it has 1 arrays of weights: expected 2"
    other = [Spec("float32", (3, 5)), Spec("float32", (4,))]
    assert (
        why_unlike(other, expected) == "array 0 of its weights is float32 of 3 x 5: expected float32 of 3 x 4"
    )
    assert Described((Spec("float32", ()),), DIGEST).size == 4


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e308])
def test_nan_and_infinite_numbers_are_found(wrong: float) -> None:
    fine = np.ones(3, np.float32)

    assert why_not_finite([fine, np.array([1, 2])]) is None
    assert why_not_finite([fine, np.array([1.0, wrong])]) == (
        "array 1 of its weights has 1 numbers that are NaN, infinite or too large"
    )
