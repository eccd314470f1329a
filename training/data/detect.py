"""What a sample is: the type and the shape of arrays, numbers, lists and texts, and their bytes."""

import math
from typing import Any, Final

import numpy as np

from training.data import raw
from training.data.raw import Raw, Text

_SCALAR: Final = (1,)  # as Kafka-ML describes a scalar


def detected(sample: object, what: str = "data") -> Raw | Text:
    """Return the column of a sample and those like it.

    Raises ValueError, with `what` it is, if it is neither numbers nor text.
    """
    try:
        return _detected(sample)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def _detected(sample: object) -> Raw | Text:
    if isinstance(sample, str):
        return Text(_SCALAR)
    array = np.asarray(sample)
    if not array.size:
        raise ValueError("an array without numbers")
    if array.dtype.kind == "O":
        raise ValueError(f"expected a type of numpy's, or a text, found {_found(array)}")
    kind = raw.parse_type(type_name(array.dtype)).newbyteorder("<")
    return Raw(kind, array.shape or _SCALAR)


def encoded(column: Raw | Text, sample: object, what: str = "data") -> bytes:
    """Return the bytes of a sample; raise ValueError, with `what` it is, if it does not fit the column.

    Numbers of another type are converted if that changes none of them. Bytes are sent as they are.
    """
    try:
        return _encoded(column, sample)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def _encoded(column: Raw | Text, sample: object) -> bytes:
    if isinstance(sample, bytes):
        column.settled(sample).decode([sample])
        return sample
    if isinstance(column, Text):
        if not isinstance(sample, str):
            raise ValueError(f"expected a text, found {type(sample).__name__}")
        return sample.encode()
    array = np.asarray(sample)
    if not _has_shape(array.shape, column.shape):
        raise ValueError(
            f"shape {raw.shape_text(array.shape) or 'of a scalar'}, expected"
            f" {raw.shape_text(column.shape) or 'that of a scalar'}"
        )
    return _converted(array, column.stored).tobytes()


def described(column: Raw | Text) -> tuple[str, str]:
    """Return the name of a column's type, and the text of its shape, as in a control message."""
    name = raw.STRING if isinstance(column, Text) else type_name(column.stored)
    return name, raw.shape_text(column.shape)


def type_name(kind: np.dtype[Any]) -> str:
    """Return the name that Kafka-ML's sinks give a type in this machine's byte order."""
    return str(kind.newbyteorder("<")) if kind.kind in "USO" else kind.name


def _has_shape(found: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether an array has this shape, or is flat, or a scalar, and has as many numbers."""
    if found == shape:
        return True
    is_flat = len(found) < 2 or len(shape) < 2
    count, wanted = math.prod(found), math.prod(shape)
    return is_flat and (count == wanted or (wanted < 0 and count % wanted == 0))


def _converted(array: np.ndarray[Any, Any], kind: np.dtype[Any]) -> np.ndarray[Any, Any]:
    if array.dtype == kind:
        return array
    is_text = kind.kind in "SU"
    if array.dtype.kind != "O" and array.dtype.kind not in ("SU" if is_text else "biufc"):
        raise ValueError(f"expected {kind.name}, found {_found(array)}")
    with np.errstate(all="ignore"):
        try:
            found = array.astype(kind)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"expected {kind.name}, found {_found(array)}") from None
    if not np.array_equal(found, array, equal_nan=array.dtype.kind in "fc"):
        raise ValueError(f"{array.dtype.name} that {kind.name} cannot hold: convert it, or set the type")
    return found


def _found(array: np.ndarray[Any, Any]) -> str:
    """Return in a few words what is in an array of one value, or of several."""
    if array.ndim:
        return f"an array of {'objects' if array.dtype.kind == 'O' else array.dtype.name}"
    text = " ".join(repr(array.item()).split())
    return text if len(text) <= 60 else f"{text[:60]}…"
