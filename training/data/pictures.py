"""Format JPEG: values are JPEGs, keys the numbers of labels."""

import operator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.wire import jpeg, picture

_pool: Final = ThreadPoolExecutor(thread_name_prefix="jpeg")  # OpenCV decodes without the interpreter's lock


@dataclass(frozen=True, slots=True)
class Pictures:
    """A column of pictures, scaled to (height, width): uint8; red, green, blue."""

    size: tuple[int, int]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the rows."""
        return np.dtype(np.uint8)

    @property
    def shape(self) -> tuple[int, ...]:
        """Height, width, and three colours."""
        return (*self.size, 3)

    def settled(self, _: bytes) -> Self:
        """Return this column."""
        return self

    def decode(self, values: Sequence[bytes]) -> NDArray[Any]:
        """Return the rows."""
        rows = np.empty((len(values), *self.shape), np.uint8)

        def fill(row: int) -> None:
            rows[row] = self._decoded(values[row])

        for _ in _pool.map(fill, range(len(values))):
            pass
        return rows

    def _decoded(self, value: bytes) -> NDArray[Any]:
        jpeg.size(value)
        image = picture.decode(value)
        height, width = self.size
        if image.shape[:2] != self.size:
            shrinks = image.shape[0] > height or image.shape[1] > width
            way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            image = cv2.resize(image, (width, height), interpolation=way)  # type: ignore[assignment]
        return image[:, :, ::-1]


@dataclass(frozen=True, slots=True)
class Labels:
    """A column of numbers of labels, in unsigned big-endian bytes of any width."""

    names: tuple[str, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the rows."""
        return np.dtype(np.int32)

    @property
    def shape(self) -> tuple[int, ...]:
        """A scalar's."""
        return ()

    def settled(self, _: bytes) -> Self:
        """Return this column."""
        return self

    def decode(self, values: Sequence[bytes]) -> NDArray[Any]:
        """Return the numbers."""
        numbers = [int.from_bytes(value[-8:]) for value in values]
        for number, value in zip(numbers, values, strict=True):
            if number >= len(self.names) or value[:-8].strip(b"\0"):
                raise ValueError(f"label {number}, expected a number from 0 to {len(self.names) - 1}")
        return np.array(numbers, np.int32)

    def encode(self, label: int | str) -> bytes:
        """Return the bytes of a label's number, or of its name."""
        if isinstance(label, str):
            if label not in self.names:
                raise ValueError(f"label {label!r}: expected one of {', '.join(self.names)}")
            label = self.names.index(label)
        try:
            number = operator.index(label)
        except TypeError:
            number = -1
        if isinstance(label, bool) or not 0 <= number < len(self.names):
            raise ValueError(f"label {str(label)[:60]}: expected a number from 0 to {len(self.names) - 1}")
        return number.to_bytes(max(1, (number.bit_length() + 7) // 8))


def check(data: object) -> None:
    """Raise ValueError unless this is a complete JPEG, as bytes."""
    if not isinstance(data, bytes):
        raise ValueError(f"data: expected a JPEG as bytes, found {type(data).__name__}")
    jpeg.size(data)


def columns(labels: object, size: object) -> tuple[Pictures, Labels]:
    """Return the columns for `labels` and `size` of a control message; raise ValueError otherwise."""
    if not isinstance(size, list | tuple) or len(size) != 2 or not all(map(_is_side, size)):
        raise ValueError(f"size {str(size)[:60]}: expected [height, width] in pixels")
    if (
        not isinstance(labels, list | tuple)
        or not labels
        or not all(isinstance(each, str) for each in labels)
    ):
        raise ValueError(f"labels {str(labels)[:60]}: expected a list of names")
    return Pictures((size[0], size[1])), Labels(tuple(labels))


def _is_side(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= jpeg.LONGEST_SIDE
