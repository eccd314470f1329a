"""Nested lists are flattened into a shape and elements, which NumPy puts together again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tfserving.server.errors import ServingError
from tfserving.server.json import nesting
from tfserving.server.json.parse import Value


@given(arrays.arrays(np.int64, arrays.array_shapes(min_dims=0, max_dims=5)))
def test_what_numpy_nests_is_flattened(array: np.ndarray) -> None:
    shape = nesting.shape(array.tolist())

    assert shape == array.shape
    assert nesting.elements(array.tolist(), shape) == (array.ravel().tolist(), None)


@given(st.recursive(st.integers(0, 9), lambda inner: st.lists(inner, max_size=4), max_leaves=30))
def test_lists_fit_their_shape_or_the_first_that_does_not_is_reported(value: Value) -> None:
    shape = nesting.shape(value)

    elements, failure = nesting.elements(value, shape)

    try:
        fits = np.array(value).shape == shape
    except ValueError:
        fits = False
    assert (failure is None) == fits
    if fits:
        assert np.array(elements, int).reshape(shape).tolist() == value


@pytest.mark.parametrize(
    ("value", "elements", "message"),
    [
        ([[1, 2], [3]], [1, 2], "Encountered list at unexpected size: 1 at level: 1 expected size: 2"),
        ([[1, [2]], 3], [1], "Encountered list at unexpected level: 2 expected < 2"),
        (
            [[1], 2, []],
            [1],
            "JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2",
        ),
    ],
)
def test_the_elements_before_a_failure_are_returned(
    value: Value, elements: list[Value], message: str
) -> None:
    found, failure = nesting.elements(value, nesting.shape(value))

    assert found == elements
    assert failure is not None
    assert failure.message == message


def test_more_dimensions_than_an_array_can_have_are_refused() -> None:
    value: Value = 1
    for _ in range(nesting.MAX_RANK):
        value = [value]
    assert nesting.elements(value, nesting.shape(value)) == ([1], None)

    with pytest.raises(ServingError, match="Encountered 65 nested lists, expected at most 64"):
        nesting.shape([value])
