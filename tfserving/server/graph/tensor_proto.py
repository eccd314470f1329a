"""Read and write tensors as TensorProto messages, in the way TensorFlow's C++ code does.

A tensor's elements are in `tensor_content`, in their memory layout, or one by one in a field for their type.
"""

import math
from typing import Any

import numpy as np
from tensorflow.core.framework import tensor_pb2, types_pb2

from tfserving.runtime import tf
from tfserving.server.graph import string_list
from tfserving.server.graph.sizes import LARGEST_FILLED, MOST_DIMENSIONS, MOST_ELEMENTS, MOST_STRINGS
from tfserving.server.json.values import Array, strings

_FIELDS = {
    "float32": "float_val",
    "float64": "double_val",
    "int64": "int64_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "bool": "bool_val",
    "float16": "half_val",
    "bfloat16": "half_val",
    "complex64": "scomplex_val",
    "complex128": "dcomplex_val",
    **dict.fromkeys(["int8", "int16", "int32", "uint8", "uint16"], "int_val"),
    **dict.fromkeys(["qint8", "qint16", "qint32", "quint8", "quint16"], "int_val"),
}
# The type of the numbers in a field, if it differs from that of the elements.
_PARTS = {"half_val": np.uint16, "scomplex_val": np.float32, "dcomplex_val": np.float64}


def read(proto: Any) -> Array:
    """Return a TensorProto's tensor, strings as an array of bytes objects.

    Missing elements are copies of the last one, or zero if there are none. Raises ValueError if the message
    is not a valid tensor: its shape or type is unknown, its content has the wrong length, or it is too large.
    """
    shape = _shape(proto.tensor_shape)
    name, dtype = _dtype(proto.dtype)
    count = math.prod(shape)
    if dtype.hasobject and count > MOST_STRINGS:
        raise ValueError(f"too many strings: {count}")
    if not count:
        return np.empty(shape, dtype)
    if proto.tensor_content:
        return _decoded(proto.tensor_content, dtype, count).reshape(shape)
    elements = strings(proto.string_val) if name == "string" else _elements(proto, name, dtype)
    if len(elements) < count:
        elements = _filled_up(elements, dtype, count)
    return elements[:count].reshape(shape)


def write(array: Array, *, as_content: bool = False) -> Any:
    """Return the TensorProto of a tensor, with its elements one by one or `as_content`."""
    # A scalar has a shape, too: one without dimensions.
    proto = tensor_pb2.TensorProto(dtype=number(array), tensor_shape={})
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    name = tf.dtypes.as_dtype(proto.dtype).name
    flat = array.ravel()
    if name == "string":
        texts = [item if isinstance(item, bytes) else str(item).encode() for item in flat.tolist()]
        if as_content:
            proto.tensor_content = string_list.encoded(texts)
        else:
            proto.string_val.extend(texts)
    elif as_content:
        proto.tensor_content = flat.tobytes()
    else:
        field = _FIELDS[name]
        _put(proto, field, flat.view(_PARTS.get(field, _plain(flat.dtype))))
    return proto


def number(array: Array) -> int:
    """Return the DataType of an array."""
    return int(tf.dtypes.as_dtype(array.dtype).as_datatype_enum)


def type_name(array: Array) -> str:
    """Return the name of an array's type in messages, such as DT_FLOAT."""
    return str(types_pb2.DataType.Name(number(array)))


def _put(proto: Any, field: str, numbers: Array) -> None:
    if numbers.dtype.kind != "f":
        getattr(proto, field).extend(numbers.tolist())
    elif len(numbers):
        # A message stores them in their memory layout, so copy them: a hundred times faster than one by one.
        content = numbers.tobytes()
        tag = proto.DESCRIPTOR.fields_by_name[field].number << 3 | 2
        proto.MergeFromString(bytes([tag]) + string_list.varint(len(content)) + content)


def _shape(proto: Any) -> tuple[int, ...]:
    shape = tuple(dim.size for dim in proto.dim)
    if proto.unknown_rank or any(size < 0 for size in shape):
        raise ValueError(f"invalid shape of a tensor: {shape}")
    if len(shape) > MOST_DIMENSIONS or math.prod(size or 1 for size in shape) > MOST_ELEMENTS:
        raise ValueError(f"too large: {shape}")
    return shape


def _dtype(value: int) -> tuple[str, Any]:
    """Return the name of a DataType, and its NumPy type."""
    try:
        dtype = tf.dtypes.as_dtype(value)
    except TypeError as error:
        raise ValueError(str(error)) from error
    if dtype.name != "string" and dtype.name not in _FIELDS:
        raise ValueError(f"unsupported type: {dtype.name}")
    return dtype.name, np.dtype(object if dtype.name == "string" else dtype.as_numpy_dtype)


def _plain(dtype: Any) -> Any:
    """Return the integer type inside a quantized type; any other type unchanged."""
    return dtype[0] if dtype.names else dtype


def _elements(proto: Any, name: str, dtype: Any) -> Array:
    field = _FIELDS[name]
    values = getattr(proto, field)
    if field == "half_val":
        return np.fromiter((value & 0xFFFF for value in values), np.uint16).view(dtype)
    if field in _PARTS:
        parts = np.fromiter(values, _PARTS[field])
        # Drop an incomplete complex number at the end.
        return parts[: len(parts) // 2 * 2].view(dtype)
    wide = np.int32 if field == "int_val" else dtype
    return np.fromiter(values, wide, len(values)).astype(_plain(dtype)).view(dtype)


def _filled_up(elements: Array, dtype: Any, count: int) -> Array:
    if count * dtype.itemsize > LARGEST_FILLED:
        raise ValueError(f"expected {count} elements, found {len(elements)}")
    if not len(elements):
        return strings([b""] * count) if dtype.hasobject else np.zeros(count, dtype)
    return np.concatenate([elements, np.repeat(elements[-1:], count - len(elements))])


def _decoded(content: bytes, dtype: Any, count: int) -> Array:
    if dtype.hasobject:
        return strings(string_list.decoded(content, count))
    if len(content) != count * dtype.itemsize:
        raise ValueError(f"expected {count} elements of {dtype.itemsize} bytes, found {len(content)} bytes")
    return np.frombuffer(content, dtype)
