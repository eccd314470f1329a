"""Convert JSON values to tensors: shapes, dtypes and binary strings."""

import binascii
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tfserving.server.errors import Code, ServingError, invalid
from tfserving.server.json import nesting
from tfserving.server.json.dtypes import INTEGERS, REALS, spelling
from tfserving.server.json.echo import echo
from tfserving.server.json.parse import Value

Array: TypeAlias = npt.NDArray[Any]

_TYPES = {type(None): "Null", int: "Number", float: "Number", bytes: "String", list: "Array", dict: "Object"}


def is_binary(value: Value) -> bool:
    """Return whether a value is a binary string: an object whose only member is a string named b64."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get(b"b64"), bytes)


def tensor(value: Value, dtype: str) -> Array:
    """Return the tensor of a scalar or of nested lists; strings become an array of bytes objects.

    Raises ServingError: UNIMPLEMENTED for a dtype that JSON cannot express, INVALID_ARGUMENT for lists of
    unequal lengths and for values of another type.
    """
    shape = nesting.shape(value)
    leaves, failure = nesting.elements(value, shape)
    # Report the first error in the text, whether it is a value or a list.
    flat = _converted(leaves, dtype)
    if failure:
        raise failure
    return flat.reshape(shape)


def strings(items: Sequence[bytes]) -> Array:
    """Return a string vector, as an array of bytes objects."""
    array = np.empty(len(items), object)
    array[:] = items
    return array


def _converted(leaves: list[Value], dtype: str) -> Array:
    if dtype in REALS:
        return _reals(leaves, dtype)
    if dtype in INTEGERS:
        return _integers(leaves, dtype)
    if dtype == "bool":
        _check(leaves, dtype, bool)
        return np.array(leaves, np.bool_)
    if dtype == "string":
        return strings([_string(leaf) for leaf in leaves])
    first = leaves[0] if leaves else []
    if isinstance(first, dict):
        raise _mismatch(first, dtype)
    what = f"Conversion of JSON Value: {echo(first)} to type: {spelling(dtype)}"
    raise ServingError(Code.UNIMPLEMENTED, what)


def _check(leaves: list[Value], dtype: str, *allowed: type) -> None:
    if set(map(type, leaves)).issubset(allowed):
        return
    raise _mismatch(next(leaf for leaf in leaves if type(leaf) not in allowed), dtype)


def kind(value: Value) -> str:
    """Return the name of a value's JSON type in error messages."""
    return str(value) if isinstance(value, bool) else _TYPES[type(value)]


def _mismatch(value: Value, dtype: str) -> ServingError:
    what = f"JSON Value: {echo(value)} Type: {kind(value)}"
    return invalid(f"{what} is not of expected type: {spelling(dtype)}")


def _reals(leaves: list[Value], dtype: str) -> Array:
    _check(leaves, dtype, int, float)
    with np.errstate(over="ignore", under="ignore"):
        return np.array(leaves, np.float64).astype(dtype)


def _integers(leaves: list[Value], dtype: str) -> Array:
    low, high = INTEGERS[dtype]
    for leaf in leaves:
        if isinstance(leaf, bool) or not isinstance(leaf, int) or not low <= leaf < high:
            raise _mismatch(leaf, dtype)
    return np.array(leaves, np.uint64 if dtype == "uint64" else np.int64).astype(dtype)


def _string(value: Value) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, dict):
        text = value.get(b"b64")
        if len(value) != 1 or not isinstance(text, bytes):
            raise invalid(f"JSON Value: {echo(value)} not formatted correctly for base64 data")
        return decode(text)
    raise _mismatch(value, "string")


def decode(text: bytes) -> bytes:
    """Return the bytes of base64 text; whitespace is skipped, padding may be missing or written as dots."""
    try:
        # The fast path, for well-formed text.
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        text = text.translate(None, b" \t\n\v\f\r").replace(b".", b"=")
    bare = text.rstrip(b"=")
    padding = len(text) - len(bare)
    if padding not in {0, -len(bare) % 4}:
        raise invalid("Unable to base64 decode")
    try:
        return binascii.a2b_base64(bare + b"=" * (-len(bare) % 4), strict_mode=True)
    except binascii.Error as error:
        raise invalid("Unable to base64 decode") from error
