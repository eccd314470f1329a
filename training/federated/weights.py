"""A model's weights as bytes: arrays one after the other, with their types and shapes, and a checksum.

Nothing here can run code: what arrives is compared with its description, and then seen as numbers.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from training.federated.fields import Object, kind, text, whole

Arrays = list[NDArray[Any]]

MOST_ARRAYS: Final = 10_000
"""Arrays of a model's weights."""

LARGEST_WEIGHTS: Final = 4 * 2**30
"""Bytes of a model's weights, or of its file."""

_TYPES: Final = frozenset(
    ["bool", "float16", "float32", "float64"]
    + [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
)
_AXES: Final = 32  # numpy's own limit is higher
_HIGHEST: Final = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Spec:
    """The type of an array, a name of numpy's, and its shape."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many bytes the array has."""
        return np.dtype(self.dtype).itemsize * math.prod(self.shape)

    def __str__(self) -> str:
        return f"{self.dtype} of {' x '.join(map(str, self.shape)) or 'a single number'}"


@dataclass(frozen=True, slots=True)
class Described:
    """What is said about a set of weights: its arrays in order, and the SHA-256 of all bytes, in hex."""

    arrays: tuple[Spec, ...]
    sha256: str

    @property
    def size(self) -> int:
        """How many bytes the set has."""
        return sum(each.size for each in self.arrays)

    def composed(self) -> dict[str, Any]:
        """Return this as JSON."""
        arrays = [{"dtype": each.dtype, "shape": [*each.shape]} for each in self.arrays]
        return {"arrays": arrays, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class File:
    """What is said about a file: its size in bytes and its SHA-256, in hex."""

    size: int
    sha256: str


def pack(arrays: Sequence[NDArray[Any]]) -> tuple[Described, bytes]:
    """Return weights as bytes, little-endian and in C order. Raises ValueError unless they are numbers."""
    specs = [_spec({"dtype": each.dtype.name, "shape": [*each.shape]}) for each in arrays]
    data = b"".join(_little(each.dtype, each).tobytes() for each in arrays)
    return Described(tuple(specs), checksum(data)), data


def unpack(described: Described, data: bytes) -> Arrays:
    """Return the arrays in bytes. Raises ValueError unless size and checksum are those described."""
    if len(data) != described.size:
        raise ValueError(f"its weights have {len(data)} bytes: expected {described.size}")
    check(data, described.sha256, "its weights")
    found, start = Arrays(), 0
    for each in described.arrays:
        kind_of = np.dtype(each.dtype)
        flat = np.frombuffer(data, kind_of.newbyteorder("<"), math.prod(each.shape), start)
        found.append(flat.reshape(each.shape).astype(kind_of))
        start += each.size
    return found


def checksum(data: bytes) -> str:
    """Return the SHA-256 of bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def check(data: bytes, sha256: str, what: str) -> None:
    """Raise ValueError unless bytes have this checksum."""
    if checksum(data) != sha256:
        raise ValueError(f"the checksum of {what} is wrong: expected SHA-256 {sha256[:12]}…")


def described(value: object) -> Described:
    """Return a description from JSON. Raises ValueError."""
    fields = Object("weights", value)
    found = Described(fields.take("arrays", _specs), fields.take("sha256", _digest))
    if found.size > LARGEST_WEIGHTS:
        raise ValueError(f"expected at most {LARGEST_WEIGHTS} bytes of weights, found {found.size}")
    return found


def file(value: object) -> File:
    """Return the description of a file from JSON. Raises ValueError."""
    fields = Object("file", value)
    found = File(fields.take("size", whole(1)), fields.take("sha256", _digest))
    if found.size > LARGEST_WEIGHTS:
        raise ValueError(f"expected a file of at most {LARGEST_WEIGHTS} bytes, found {found.size}")
    return found


def why_unlike(found: Sequence[Spec], expected: Sequence[Spec]) -> str | None:
    """Return how arrays differ from what was expected, or None."""
    if len(found) != len(expected):
        return f"it has {len(found)} arrays of weights: expected {len(expected)}"
    for number, (one, other) in enumerate(zip(found, expected, strict=True)):
        if one != other:
            return f"array {number} of its weights is {one}: expected {other}"
    return None


def why_not_finite(arrays: Sequence[NDArray[Any]]) -> str | None:
    """Return which array has NaN, an infinite number, or one that no 32 bits hold; or None.

    Means of larger numbers could be infinite, so that one client could end a training.
    """
    for number, array in enumerate(arrays):
        fits = np.abs(array.astype(np.float64)) <= _HIGHEST  # not so for NaN
        if not fits.all():
            wrong = int(np.count_nonzero(~fits))
            return f"array {number} of its weights has {wrong} numbers that are NaN, infinite or too large"
    return None


def _little(dtype: np.dtype[Any], array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array, dtype.newbyteorder("<"))


def _specs(value: object) -> tuple[Spec, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_ARRAYS:
        raise ValueError(f"expected a list of 1 to {MOST_ARRAYS} arrays, found {kind(value)}")
    return tuple(_spec(each) for each in value)


def _spec(value: object) -> Spec:
    fields = Object("array", value)
    return Spec(fields.take("dtype", _type), fields.take("shape", _shape))


def _type(value: object) -> str:
    if text(value) not in _TYPES:
        raise ValueError(f"expected a type of numbers such as float32, found {kind(value)}")
    return text(value)


def _shape(value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) > _AXES:
        raise ValueError(f"expected a list of at most {_AXES} sizes, found {kind(value)}")
    return tuple(map(whole(0), value))


def _digest(value: object) -> str:
    digest = text(value)
    if len(digest) != 64 or not {*digest} <= {*"0123456789abcdef"}:
        raise ValueError(f"expected 64 hexadecimal digits, found {kind(value)}")
    return digest
