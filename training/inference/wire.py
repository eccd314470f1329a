"""Arrays on the pipes to a restricted process and back: their type and shape, then their bytes."""

import json
import math
import struct
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

KINDS: Final = "biufcS"
"""Kinds of numpy's types that can be sent: numbers and bytes."""

HEAD_BYTES: Final = 4096
"""Bytes of what precedes an array's bytes."""

_SIZE: Final = struct.Struct("<I")
LENGTH: Final = _SIZE.size
"""Bytes of the length of a head."""


class WireError(ValueError):
    """What came is not an array."""


def pack(array: NDArray[Any]) -> tuple[bytes, memoryview]:
    """Return the head and the bytes of an array; texts become bytes in UTF-8."""
    if array.dtype.kind in "OU":
        texts = [str(text).encode() for text in array.ravel().tolist()]
        array = np.array(texts, np.bytes_).reshape(array.shape)
    array = np.asarray(array, order="C")
    head = json.dumps({"dtype": array.dtype.str, "shape": array.shape}).encode()
    data: Any = array.reshape(-1).view(np.uint8)
    return _SIZE.pack(len(head)) + head, memoryview(data)


def refusal(reason: str) -> bytes:
    """Return what is sent instead of an array."""
    head = json.dumps({"error": reason[: HEAD_BYTES // 8]}).encode()
    return _SIZE.pack(len(head)) + head


def length(data: bytes | bytearray) -> int:
    """Return the length of a head; raise WireError if it is too long."""
    (found,) = _SIZE.unpack(data)
    if found > HEAD_BYTES:
        raise WireError(f"a head of {found} bytes, expected at most {HEAD_BYTES}")
    return int(found)


def form(head: bytes, most: int) -> tuple[np.dtype[Any], tuple[int, ...]] | str:
    """Return the type and the shape of the array that follows a head, or the reason that stands for it.

    Raises WireError unless the array has at most so many bytes.
    """
    try:
        found = json.loads(head)
        if "error" in found:
            return str(found["error"])
        kind = np.dtype(str(found["dtype"]))
        shape = tuple(int(size) for size in found["shape"])
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        raise WireError("expected the type and the shape of an array") from None
    if kind.kind not in KINDS or kind.fields is not None or kind.subdtype is not None:
        raise WireError(f"an array of {kind}, expected numbers")
    if min(shape, default=0) < 0 or len(shape) > 32 or math.prod(shape) * max(1, kind.itemsize) > most:
        raise WireError(f"an array of shape {shape}, expected at most {most} bytes")
    return kind, shape


def array(data: bytes | bytearray, kind: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the array with these bytes."""
    return np.frombuffer(data, kind).reshape(shape)


def read(pipe: BinaryIO, most: int) -> NDArray[Any] | None:
    """Wait for the next array, and return it; None at the end of the pipe."""
    start = pipe.read(LENGTH)
    if len(start) < LENGTH:
        return None
    found = form(pipe.read(length(start)), most)
    if isinstance(found, str):
        raise WireError(found)
    kind, shape = found
    data = pipe.read(math.prod(shape) * kind.itemsize)
    return array(data, kind, shape)


def write(pipe: BinaryIO, answer: NDArray[Any] | str) -> None:
    """Write an array, or the reason why there is none."""
    pipe.writelines((refusal(answer),) if isinstance(answer, str) else pack(answer))
    pipe.flush()
