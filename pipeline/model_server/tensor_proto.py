"""TensorFlow's tensors as protobuf messages.

https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/tensor.proto
"""

import math
from typing import Final

import numpy as np

from pipeline.model_server.serving_pb2 import Tensor, TensorShape
from pipeline.model_server.tensors import Array

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

MOST_DIMENSIONS: Final = 64  # of NumPy's arrays

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
    """Return the message for an array; raise ValueError if there is none for its dtype."""
    shape = TensorShape(dim=[TensorShape.Dim(size=size) for size in array.shape])
    if array.dtype == object:
        return Tensor(dtype=_NUMBERS["string"], tensor_shape=shape, string_val=array.ravel().tolist())
    if array.dtype.name not in _NUMBERS:
        raise ValueError(f"expected a dtype that TensorFlow has, found {array.dtype.name}")
    return Tensor(dtype=_NUMBERS[array.dtype.name], tensor_shape=shape, tensor_content=array.tobytes())


def array(tensor: Tensor) -> Array:
    """Return the array in a message; raise ValueError if its parts do not match.

    A server's answers contain every value. The short form, in which the last value is repeated, is not
    supported.
    """
    dtype = DTYPES.get(tensor.dtype)
    if dtype is None:
        raise ValueError(f"expected a known type of tensor, found {tensor.dtype}")
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if min(shape, default=0) < 0:
        raise ValueError(f"expected a tensor with known sizes, found the shape {shape}")
    if len(shape) > MOST_DIMENSIONS:
        raise ValueError(f"expected at most {MOST_DIMENSIONS} dimensions, found {len(shape)}")
    size = math.prod(shape)
    if dtype == "string":
        flat = np.array([*tensor.string_val, None], object)[:-1]
    elif tensor.tensor_content:
        flat = np.frombuffer(tensor.tensor_content, dtype)
    elif dtype == "float16":
        flat = np.array(tensor.half_val, np.uint16).view(np.float16)
    else:
        flat = np.array(getattr(tensor, _FIELDS.get(dtype, "int_val")), dtype)
    if flat.size != size:
        raise ValueError(f"expected {size} values for a tensor of the shape {shape}, found {flat.size}")
    return flat.reshape(shape)
