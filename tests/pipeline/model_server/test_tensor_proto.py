"""Tensors as messages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipeline.model_server import tensor_proto
from pipeline.model_server.serving_pb2 import Tensor
from pipeline.model_server.tensors import Array
from tests.consumer.fakes import PROPERTY

NUMBERS = sorted(set(tensor_proto.DTYPES.values()) - {"string"})


def array_of(dtype: str) -> st.SearchStrategy[Array]:
    """Return arrays of any shape."""
    return arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0))


@PROPERTY
@given(st.sampled_from(NUMBERS).flatmap(array_of))
def test_a_message_holds_an_array(array: Array) -> None:
    read = tensor_proto.array(Tensor.FromString(tensor_proto.message(array).SerializeToString()))

    assert (read.dtype, read.shape, read.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_a_message_holds_strings() -> None:
    array = np.empty((2, 1), object)
    array[:, 0] = [b"\xff\xd8", b""]

    assert tensor_proto.array(tensor_proto.message(array)).tolist() == array.tolist()


def test_what_is_in_a_typed_field_is_read() -> None:
    tensor = Tensor(dtype=1, tensor_shape={"dim": [{"size": 1}, {"size": 2}]}, float_val=[1.5, 2.5])

    assert tensor_proto.array(tensor).tolist() == [[1.5, 2.5]]


@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (Tensor(), "found 0"),
        (Tensor(dtype=8), "found 8"),
        (Tensor(dtype=1, tensor_shape={"dim": [{"size": 2}]}), "shape \\(2,\\), found 0"),
        (Tensor(dtype=1, tensor_shape={"dim": [{"size": -1}]}), "shape \\(-1,\\)"),
        (Tensor(dtype=1, tensor_shape={"dim": [{"size": 1}]}, float_val=[1, 2]), "found 2"),
        (Tensor(dtype=1, tensor_shape={"dim": [{"size": 2**62}]}, float_val=[1]), "found 1"),
        (Tensor(dtype=1, tensor_shape={"dim": [{"size": 1}]}, tensor_content=b"abc"), "buffer size"),
    ],
)
def test_parts_that_do_not_match_are_an_error(tensor: Tensor, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        tensor_proto.array(tensor)


def test_an_unsupported_dtype_is_an_error() -> None:
    with pytest.raises(ValueError, match="complex128"):
        tensor_proto.message(np.array([1j]))
