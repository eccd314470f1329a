"""How the values of messages become the rows of a batch: the formats of training data, and JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from training.data.column import Column
from training.data.formats import decoder

_JSON: Final = ("JSON", "TELEGRAF_STR_JSON")


@dataclass(frozen=True, slots=True)
class Json:
    """A column of numbers, or lists of them, as JSON. A first dimension of 1, the batch, is left out.

    In `is_telegraf` messages, the JSON is a text in `fields.value` of an object.
    """

    is_telegraf: bool
    shape: tuple[int, ...] = (-1,)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the rows."""
        return np.dtype(np.float64)

    def settled(self, example: bytes) -> Self:
        """Return a column with the shape of an example; raise ValueError if it is not numbers."""
        return replace(self, shape=self._row(example).shape)

    def decode(self, values: Sequence[bytes]) -> NDArray[Any]:
        """Return the rows."""
        rows = [self._row(value) for value in values]
        if other := next((row.shape for row in rows if row.shape != self.shape), None):
            raise ValueError(f"numbers of shape {other}, expected {self.shape}")
        return np.array(rows, self.dtype).reshape(-1, *self.shape)

    def _row(self, value: bytes) -> NDArray[Any]:
        try:
            found = json.loads(value)
            if self.is_telegraf:
                found = json.loads(found["fields"]["value"])
            row = np.array(found, self.dtype)
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
            where = ' as a text in {"fields": {"value": ...}}' if self.is_telegraf else ""
            raise ValueError(f"expected numbers as JSON{where}, such as [[0.5, 1]]") from None
        return row[0] if row.ndim > 1 and len(row) == 1 else row


def column(input_format: str, input_config: Mapping[str, Any]) -> Column:
    """Return how the values of messages are decoded; raise ValueError, with what to change, for others."""
    if input_format in _JSON:
        return Json(is_telegraf=input_format == _JSON[1])
    try:
        return decoder(input_format, input_config, labelled=False).values
    except ValueError as error:
        raise ValueError(str(error).replace("RAW, AVRO or JPEG", "RAW, AVRO, JPEG or JSON")) from None
