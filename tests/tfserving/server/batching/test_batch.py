"""Tensors of several requests are joined into a batch, and split again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfserving.server.batching.batch import merge, rows, split
from tfserving.server.batching.batch_parameters import Parameters
from tfserving.server.errors import Code, ServingError
from tfserving.server.json.values import Array

PADDED = Parameters(pad_inputs=True)
SIZED = Parameters(max_size=8, allowed_sizes=(2, 4, 8))


def requests(*arrays: Array) -> list[dict[str, Array]]:
    """Return requests of one input each."""
    return [{"x:0": array} for array in arrays]


def test_requests_are_concatenated_in_order() -> None:
    merged, size, padding = merge(requests(np.array([1, 2]), np.array([3])), Parameters())

    assert merged["x:0"].tolist() == [1, 2, 3]
    assert (size, padding) == (3, 0)


@pytest.mark.parametrize(("count", "size"), [(1, 2), (2, 2), (3, 4), (5, 8), (8, 8)])
def test_a_batch_is_padded_to_an_allowed_size(count: int, size: int) -> None:
    merged, total, padding = merge(requests(*(np.array([i]) for i in range(count))), SIZED)

    assert merged["x:0"].tolist() == [*range(count), *[count - 1] * (size - count)]
    assert (total, padding) == (size, size - count)


def test_a_batch_is_padded_with_a_row_of_any_request() -> None:
    merged, _, _ = merge(requests(np.array([[7, 8]]), np.zeros((0, 2), int)), SIZED)

    assert merged["x:0"].tolist() == [[7, 8], [7, 8]]


def test_a_batch_without_rows_stays_empty() -> None:
    merged, size, padding = merge(requests(np.zeros((0, 2), int)), SIZED)

    assert merged["x:0"].shape == (0, 2)
    assert (size, padding) == (0, 0)


def test_strings_are_concatenated_unchanged() -> None:
    merged, _, _ = merge(requests(np.array([b"a\0"], object), np.array([b"\xff"], object)), SIZED)

    assert merged["x:0"].tolist() == [b"a\0", b"\xff"]


@pytest.mark.parametrize("parameters", [Parameters(), SIZED])
def test_different_inner_dimensions_are_refused(parameters: Parameters) -> None:
    with pytest.raises(ServingError, match="Tensors with name 'x:0' from different tasks") as caught:
        merge(requests(np.zeros((1, 2)), np.zeros((1, 3))), parameters)

    assert caught.value.code == Code.FAILED_PRECONDITION


def test_inner_dimensions_are_padded_if_enabled() -> None:
    short, tall = np.array([[[1, 2, 3]]]), np.array([[[4], [5]], [[6], [7]]])

    merged, _, _ = merge(requests(short, tall), PADDED)

    assert merged["x:0"].tolist() == [
        [[1, 2, 3], [1, 1, 1]],
        [[4, 4, 4], [5, 4, 4]],
        [[6, 4, 4], [7, 4, 4]],
    ]


def test_strings_are_padded_too() -> None:
    merged, _, _ = merge(requests(np.array([[b"a"]], object), np.array([[b"b", b"c"]], object)), PADDED)

    assert merged["x:0"].tolist() == [[b"a", b"a"], [b"b", b"c"]]


@pytest.mark.parametrize(
    ("one", "other", "code", "message"),
    [
        ((1, 2), (1, 2, 1), Code.FAILED_PRECONDITION, "have different shapes"),
        ((1, 0), (1, 2), Code.INVALID_ARGUMENT, "Got empty tensor in batch of non-empty tensors"),
        ((1,) * 7, (1,) * 7, Code.INVALID_ARGUMENT, "Only tensors with rank from 1 to 6 can be padded"),
    ],
)
def test_tensors_that_cannot_be_padded_are_refused(
    one: tuple[int, ...], other: tuple[int, ...], code: Code, message: str
) -> None:
    with pytest.raises(ServingError, match=message) as caught:
        merge(requests(np.zeros(one), np.zeros(other)), PADDED)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([], "must have at least one input tensor"),
        ([()], "must have at least one dimension"),
        ([(1,), ()], "must have at least one dimension"),
        ([(1,), (2,)], "must have equal 0th-dimension size"),
    ],
)
def test_inputs_without_a_batch_are_refused(shapes: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(ServingError, match=f"Batching Run\\(\\).* {message}") as caught:
        rows({str(i): np.zeros(shape) for i, shape in enumerate(shapes)})

    assert caught.value.code == Code.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (np.array(1), "Batched output tensor has 0 dimensions"),
        (np.zeros(2), "Batched output tensor's 0th dimension does not equal the sum of"),
        (np.zeros(4), "Batched output tensor's 0th dimension does not equal the sum of"),
    ],
)
def test_outputs_without_the_batch_are_refused(output: Array, message: str) -> None:
    with pytest.raises(ServingError, match=message) as caught:
        split({"y:0": output}, [1, 2], 3)

    assert caught.value.code == Code.FAILED_PRECONDITION


@given(st.lists(st.lists(st.integers(0, 99), max_size=8), min_size=1), st.sampled_from([PADDED, SIZED]))
def test_each_request_gets_its_own_rows_back(values: list[list[int]], parameters: Parameters) -> None:
    arrays = [np.array(one, np.int64) for one in values]

    merged, size, padding = merge(requests(*arrays), parameters)
    parts = split({"y:0": merged["x:0"] * 2}, [len(one) for one in values], size)

    assert [part["y:0"].tolist() for part in parts] == [[2 * i for i in one] for one in values]
    assert size - padding == sum(map(len, values))
