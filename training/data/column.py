"""A column: how the values of messages, or their keys, become the rows of an array."""

from collections.abc import Sequence
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray


class Column(Protocol):
    """Decodes bytes to rows."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the array, in this machine's byte order."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a row, without the batch; one dimension is -1 if it follows from an example."""

    def settled(self, example: bytes) -> Self:
        """Return a column whose shape is known; raise ValueError if the example does not fit."""

    def decode(self, values: Sequence[bytes]) -> NDArray[Any]:
        """Return the rows, shape (n, *shape); raise ValueError with the reason if any value is bad."""
