"""Tensors become messages and come back, as in TensorFlow's own code."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.tfserving.toys import DTYPES
from tfserving.runtime import tf
from tfserving.server.graph import tensor_proto

TensorProto = type(tf.make_tensor_proto(0))
ALL = [*DTYPES, "complex128"]
SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)


@st.composite
def tensors(draw: st.DrawFn) -> np.ndarray:
    """Tensors of any type and shape."""
    name, shape = draw(st.sampled_from(ALL)), draw(SHAPES)
    if name == "string":
        strings: np.ndarray = draw(arrays.arrays(object, shape, elements=st.binary(max_size=200)))
        return strings
    dtype = np.dtype(tf.as_dtype(name).as_numpy_dtype)
    content = draw(arrays.arrays(np.uint8, (*shape, dtype.itemsize)))
    tensor: np.ndarray = (content % 2 if name == "bool" else content).view(dtype).reshape(shape)
    return tensor


def same(one: Any, other: Any) -> bool:
    """Return whether two tensors are equal bit for bit."""
    alike = one.dtype == other.dtype and one.shape == other.shape
    return bool(alike) and bool(
        one.tolist() == other.tolist() if one.dtype == object else one.tobytes() == other.tobytes()
    )


def parsed(proto: Any) -> np.ndarray:
    """Return the tensor that TensorFlow reads."""
    value = tf.io.parse_tensor(proto.SerializeToString(), proto.dtype).numpy()
    return np.array(value, object if proto.dtype == tf.string else None)


@given(tensors(), st.booleans())
def test_a_written_tensor_is_read_back_by_us_and_by_tensorflow(tensor: np.ndarray, as_content: bool) -> None:
    proto = tensor_proto.write(tensor, as_content=as_content)

    assert bool(proto.tensor_content) == (as_content and tensor.size > 0)
    assert same(tensor_proto.read(proto), tensor)
    assert same(parsed(proto), tensor)
    if not (as_content and tensor.dtype == object):
        assert same(tf.make_ndarray(proto), tensor)


@given(tensors())
def test_what_tensorflow_writes_is_read(tensor: np.ndarray) -> None:
    proto = TensorProto.FromString(tf.io.serialize_tensor(tf.constant(tensor)).numpy())

    assert same(tensor_proto.read(proto), tensor)
    assert same(tensor_proto.read(tf.make_tensor_proto(tensor)), tensor)


@pytest.mark.parametrize("name", [name for name in ALL if name != "string"])
def test_the_last_element_stands_for_those_that_are_missing(name: str) -> None:
    for count in (0, 1, 2, 5):
        numbers = np.arange(1, count + 1).astype(tf.as_dtype(name).as_numpy_dtype)
        proto = tensor_proto.write(numbers)
        proto.tensor_shape.dim[0].size = 4

        assert same(tensor_proto.read(proto), parsed(proto)), f"of {count} elements"


@pytest.mark.exceeds("tfserving.server.graph.sizes.MOST_DIMENSIONS")
def test_a_tensor_has_64_dimensions_at_most() -> None:
    proto = tensor_proto.write(np.ones([1] * 64, np.float32))
    assert tensor_proto.read(proto).shape == (1,) * 64

    proto.tensor_shape.dim.add(size=1)
    with pytest.raises(ValueError, match="too large"):
        tensor_proto.read(proto)


def test_the_last_string_is_repeated_for_those_that_are_missing() -> None:
    proto = TensorProto(dtype=tf.string.as_datatype_enum, string_val=[b"a", b"b"])
    proto.tensor_shape.dim.add(size=4)

    assert tensor_proto.read(proto).tolist() == [b"a", b"b", b"b", b"b"]


@pytest.mark.parametrize(
    "proto",
    [
        TensorProto(),
        TensorProto(dtype=99),
        TensorProto(dtype=101),
        TensorProto(dtype=tf.resource.as_datatype_enum),
        TensorProto(dtype=1, tensor_shape={"unknown_rank": True}),
        TensorProto(dtype=1, tensor_shape={"dim": [{"size": -1}]}),
        TensorProto(dtype=1, tensor_shape={"dim": [{"size": 2**62}] * 2}, float_val=[1]),
        TensorProto(dtype=1, tensor_shape={"dim": [{"size": 2**30}]}, float_val=[1]),
        TensorProto(dtype=1, tensor_shape={"dim": [{"size": 2}]}, tensor_content=b"abc"),
        TensorProto(dtype=7, tensor_shape={"dim": [{"size": 2}]}, tensor_content=b"\1"),
        TensorProto(dtype=7, tensor_shape={"dim": [{"size": 2}]}, tensor_content=b"\1\1a"),
        TensorProto(dtype=7, tensor_shape={"dim": [{"size": 1}]}, tensor_content=b"\xff" * 9),
    ],
)
def test_a_malformed_tensor_is_refused(proto: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 # whatever is wrong, the client gets the same message
        tensor_proto.read(proto)


@given(
    dtype=st.sampled_from([*range(1, 20), 22, 23]),
    sizes=st.lists(st.integers(-1, 3), max_size=3),
    content=st.just(b"") | st.binary(max_size=16),
    numbers=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4),
)
def test_any_message_is_read_or_refused_as_tensorflow_does(
    dtype: int, sizes: list[int], content: bytes, numbers: list[int]
) -> None:
    proto = TensorProto(dtype=dtype, tensor_content=content, int_val=numbers, half_val=numbers)
    proto.scomplex_val.extend(numbers)
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)

    try:
        tensor = tensor_proto.read(proto)
    except ValueError:
        with pytest.raises(tf.errors.OpError):
            parsed(proto)
    else:
        expected = parsed(proto)
        assert tensor.shape == expected.shape
        # TensorFlow returns quantized numbers as integers.
        assert tensor.tolist() == expected.tolist() if dtype == 7 else tensor.tobytes() == expected.tobytes()


@pytest.mark.parametrize("as_content", [False, True])
def test_a_scalar_has_a_shape_without_dimensions(as_content: bool) -> None:
    proto = tensor_proto.write(np.array(1.5, np.float32), as_content=as_content)

    assert proto.HasField("tensor_shape")
    assert not proto.tensor_shape.dim
    assert tensor_proto.read(proto).shape == ()


def test_types_have_their_protobuf_names() -> None:
    names = [tensor_proto.type_name(array) for array in (np.zeros(1, np.float32), np.array([b"a"], object))]

    assert names == ["DT_FLOAT", "DT_STRING"]
