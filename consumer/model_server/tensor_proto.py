"""TensorFlow's tensors as messages.

https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/tensor.proto
"""

import math
from typing import Final

import numpy as np

from consumer.model_server.serving_pb2 import Tensor, TensorShape
from consumer.model_server.tensors import Array

DTYPES: Final = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    7: "string",
    9: "int64",
    10: "bool",
    17: "uint16",
    19: "float16",
    22: "uint32",
    23: "uint64",
}
"""The numbers of TensorFlow's DataType, and NumPy's names for them."""

_NUMBERS: Final = {name: number for number, name in DTYPES.items()}
_FIELDS: Final = {
    "float32": "float_val",
    "float64": "double_val",
    "int64": "int64_val",
    "bool": "bool_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
}


def message(array: Array) -> Tensor:
    """Return the message of an array; raise ValueError for a dtype that none has."""
    shape = TensorShape(dim=[TensorShape.Dim(size=size) for size in array.shape])
    if array.dtype == object:
        return Tensor(dtype=_NUMBERS["string"], tensor_shape=shape, string_val=array.ravel().tolist())
    if array.dtype.name not in _NUMBERS:
        raise ValueError(f"there are no tensors of {array.dtype.name}")
    return Tensor(dtype=_NUMBERS[array.dtype.name], tensor_shape=shape, tensor_content=array.tobytes())


def array(tensor: Tensor) -> Array:
    """Return the array of a message; raise ValueError where its parts do not fit together.

    A server's answers hold every value: the short form, whose last value stands for the rest, is not read.
    """
    dtype = DTYPES.get(tensor.dtype)
    if dtype is None:
        raise ValueError(f"a tensor of type {tensor.dtype}, which is not known here")
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    size = math.prod(shape)
    if min(shape, default=0) < 0:
        raise ValueError(f"a tensor of shape {shape}")
    if dtype == "string":
        flat = np.array([*tensor.string_val, None], object)[:-1]
    elif tensor.tensor_content:
        flat = np.frombuffer(tensor.tensor_content, dtype)
    elif dtype == "float16":
        flat = np.array(tensor.half_val, np.uint16).view(np.float16)
    else:
        flat = np.array(getattr(tensor, _FIELDS.get(dtype, "int_val")), dtype)
    if flat.size != size:
        raise ValueError(f"a tensor of shape {shape} with {flat.size} values")
    return flat.reshape(shape)
