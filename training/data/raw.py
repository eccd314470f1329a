"""Format RAW: the bytes of arrays, as `numpy.tobytes()` gives them, in C order."""

import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

STRING: Final = "string"
"""The type of texts in UTF-8, one per message."""

_NAMES: Final = {
    **{name: name for name in ("bool", "complex64", "complex128")},
    **{f"{kind}{bits}": f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)},
    **{f"float{bits}": f"float{bits}" for bits in (16, 32, 64)},
    # TensorFlow's and others' names. Numpy's `float` has 64 bits, but Kafka-ML trains with 32.
    "half": "float16",
    "single": "float32",
    "float": "float32",
    "double": "float64",
    "int": "int64",
    "uint": "uint64",
    "bool_": "bool",
}
_CODE: Final = re.compile(r"[<>=|]?(?:b1|[iu][1248]|f[248]|c(?:8|16)|[US][1-9][0-9]{0,5})", re.ASCII)
_EXPECTED: Final = "expected a numpy type of numbers, bool, a text such as <U8, or string"


@dataclass(frozen=True, slots=True)
class Raw:
    """A column of arrays: `stored` is their type in the messages, perhaps with another byte order."""

    stored: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the rows."""
        return self.stored.newbyteorder("=")

    def settled(self, example: bytes) -> Self:
        """Return this column with a shape that follows from a message's bytes."""
        if -1 not in self.shape:
            return self
        row = -math.prod(self.shape) * self.stored.itemsize
        if not example or len(example) % row:
            raise ValueError(f"{len(example)} bytes, expected a multiple of {row}: {self._words()}")
        known = tuple(len(example) // row if size == -1 else size for size in self.shape)
        return replace(self, shape=known)

    def decode(self, values: Sequence[bytes]) -> NDArray[Any]:
        """Return the rows."""
        size = math.prod(self.shape) * self.stored.itemsize
        sizes = set(map(len, values))
        if sizes - {size}:
            found = min(sizes - {size})
            raise ValueError(f"{found} bytes, expected {size}: {self._words()}")
        data = b"".join(values)
        if self.stored.kind == "b" and data.strip(b"\0\1"):
            raise ValueError("a byte other than 0 and 1, expected bool")
        if self.stored.kind == "U":
            points = np.frombuffer(data, np.dtype(np.uint32).newbyteorder(self.stored.byteorder))
            if points.size and points.max() > sys.maxunicode:
                raise ValueError(f"a character that Unicode does not have, expected {self.stored}")
        rows = np.frombuffer(data, self.stored).reshape(len(values), *self.shape)
        return rows if self.stored.isnative else rows.astype(self.dtype)

    def _words(self) -> str:
        return f"{self.stored} of shape {shape_text(self.shape) or 'a scalar'}"


@dataclass(frozen=True, slots=True)
class Text:
    """A column of texts, one per message."""

    shape: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the rows: Python's `str`."""
        return np.dtype(object)

    def settled(self, _: bytes) -> Self:
        """Return this column."""
        return replace(self, shape=tuple(abs(size) for size in self.shape))

    def decode(self, values: Sequence[bytes]) -> NDArray[Any]:
        """Return the rows."""
        rows = np.empty(len(values), object)
        try:
            rows[:] = [value.decode() for value in values]
        except UnicodeDecodeError as error:
            raise ValueError(f"expected a text in UTF-8: {error.reason} at byte {error.start}") from None
        return rows.reshape(len(values), *self.settled(b"").shape)


def column(data_type: object, shape: object, what: str = "data") -> Raw | Text:
    """Return the column for a type's name and a shape as in a control message; raise ValueError otherwise.

    `what` they describe is named in the error: `data` or `label`.
    """
    try:
        return _column(data_type, shape)
    except ValueError as error:
        raise ValueError(f"{what}_{error}") from None


def _column(data_type: object, shape: object) -> Raw | Text:
    dimensions = parse_shape(shape)
    if data_type == STRING:
        if math.prod(dimensions) not in (1, -1):
            raise ValueError(f"reshape {shape!r}: expected one text per message")
        return Text(dimensions)
    return Raw(parse_type(data_type), dimensions)


def parse_type(name: object) -> np.dtype[Any]:
    """Return the type of a name such as `float32` or `>u2`; raise ValueError for other names."""
    if not isinstance(name, str):
        raise ValueError(f"type {name!r}: {_EXPECTED}")
    if name in _NAMES:
        return np.dtype(_NAMES[name])
    if _CODE.fullmatch(name):
        return np.dtype(name)
    if name in {"float128", "longdouble", "complex256", "clongdouble", "float96", "complex192"}:
        raise ValueError(f"type {name}: its bytes depend on the sender's machine: send float64")
    if name.lstrip("<>=|").startswith(("datetime64", "timedelta64", "M8", "m8")):
        raise ValueError(f"type {name}: times are not numbers: send their int64")
    raise ValueError(f"type {name[:60]!r}: {_EXPECTED}")


def parse_shape(shape: object) -> tuple[int, ...]:
    """Return the shape in a text such as `28 28`; raise ValueError for other texts.

    An empty text is a scalar's. Null is one dimension whose size is found in the data, like a size of -1.
    """
    if shape is None:
        return (-1,)
    parts = shape.split() if isinstance(shape, str) else shape if isinstance(shape, list) else [shape]
    if not all(re.fullmatch(r"-1|0*[1-9][0-9]{0,9}", str(part), re.ASCII) for part in parts):
        raise ValueError(
            f"reshape {str(shape)[:60]!r}: expected dimensions such as '28 28', without the batch"
        )
    sizes = tuple(int(str(part)) for part in parts)
    if sizes.count(-1) > 1:
        raise ValueError(f"reshape {shape!r}: expected one dimension of -1 at most")
    return sizes


def shape_text(shape: Sequence[int]) -> str:
    """Return the text of a shape, as in a control message."""
    return " ".join(map(str, shape))
