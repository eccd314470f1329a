"""Tensors as messages, held against TensorFlow's own."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipeline.model_server import tensor_proto
from pipeline.model_server.serving_pb2 import Tensor
from pipeline.model_server.tensors import Array
from tests.consumer.fakes import PROPERTY
from tfserving.runtime import tf

from tensorflow.core.framework.tensor_pb2 import TensorProto  # isort: skip
from tensorflow.python.framework import tensor_util  # isort: skip

NUMBERS = sorted(set(tensor_proto.DTYPES.values()) - {"string"})


def array_of(dtype: str) -> st.SearchStrategy[Array]:
    """Return arrays of any shape."""
    return arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0))


def test_the_dtypes_numbers_are_tensorflows() -> None:
    assert {number: tf.dtypes.as_dtype(number).name for number in tensor_proto.DTYPES} == tensor_proto.DTYPES


@PROPERTY
@given(st.sampled_from(NUMBERS).flatmap(array_of))
def test_tensorflow_reads_what_is_written_here(array: Array) -> None:
    written = tensor_proto.message(array).SerializeToString()

    read = tf.make_ndarray(TensorProto.FromString(written))

    assert read.dtype == array.dtype
    assert read.shape == array.shape
    assert read.tobytes() == array.tobytes()


@PROPERTY
@given(st.sampled_from(NUMBERS).flatmap(array_of))
def test_what_tensorflow_writes_is_read_here(array: Array) -> None:
    written = tf.make_tensor_proto(array).SerializeToString()

    read = tensor_proto.array(Tensor.FromString(written))

    assert read.dtype == array.dtype
    assert read.shape == array.shape
    assert read.tobytes() == array.tobytes()


@PROPERTY
@given(st.sampled_from(NUMBERS).flatmap(array_of))
def test_the_typed_fields_that_a_server_writes_are_read_here(array: Array) -> None:
    proto = TensorProto(dtype=tf.dtypes.as_dtype(array.dtype).as_datatype_enum)
    proto.tensor_shape.CopyFrom(tf.TensorShape(array.shape).as_proto())
    appended = tensor_util.GetNumpyAppendFn(array.dtype)
    appended(proto, array.ravel())

    read = tensor_proto.array(Tensor.FromString(proto.SerializeToString()))

    assert read.tobytes() == array.tobytes()


def test_strings_go_both_ways() -> None:
    array = np.empty((2, 1), object)
    array[:, 0] = [b"\xff\xd8", b""]

    written = tensor_proto.message(array).SerializeToString()

    assert tf.make_ndarray(TensorProto.FromString(written)).tolist() == array.tolist()
    assert tensor_proto.array(Tensor.FromString(written)).tolist() == array.tolist()
