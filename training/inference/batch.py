"""Messages as batches for a model, and those that it cannot have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from confluent_kafka import Message
from numpy.typing import NDArray

from training.data.column import Column

_BYTES: Final = 64 * 2**20  # of the rows that are decoded at a time, about


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows, shape (n, …), of these n messages."""

    messages: Sequence[Message]
    rows: NDArray[Any]

    def __len__(self) -> int:
        return len(self.messages)

    @property
    def values(self) -> list[bytes]:
        """The values of the messages."""
        return [message.value() or b"" for message in self.messages]

    def halves(self) -> tuple["Batch", "Batch"]:
        """Return the first and the second half of at least two messages."""
        middle = len(self) // 2
        return (
            Batch(self.messages[:middle], self.rows[:middle]),
            Batch(self.messages[middle:], self.rows[middle:]),
        )


@dataclass(frozen=True, slots=True)
class Bad:
    """A message that cannot be answered: why, in one line, and its kind for the counters."""

    message: Message
    kind: str
    reason: str

    def __str__(self) -> str:
        message = self.message
        return (
            f"topic {message.topic()}, partition {message.partition()}, offset {message.offset()}:"
            f" {self.reason}; skipped"
        )


def batches(messages: Sequence[Message], column: Column) -> Iterator[Batch | Bad]:
    """Yield batches of messages with rows of the same shape, and the messages that do not fit.

    Messages keep their order, except that those of other shapes follow.
    """
    known, others = list[Message](), list[Message]()
    settled: Column | None = None
    for message in messages:
        value = message.value()
        if value is None:
            yield Bad(message, "value", "no value")
            continue
        try:
            own = column.settled(value) if -1 in column.shape else column
        except ValueError as error:
            yield Bad(message, "value", str(error))
            continue
        settled = settled or own
        (known if own.shape == settled.shape else others).append(message)
    if settled is not None:
        yield from _decoded(known, settled)
    if others:
        yield from batches(others, column)


def _decoded(messages: Sequence[Message], column: Column) -> Iterator[Batch | Bad]:
    row = max(1, int(np.prod(column.shape)) * column.dtype.itemsize)
    most = max(1, _BYTES // row)
    for start in range(0, len(messages), most):
        yield from _part(messages[start : start + most], column)


def _part(messages: Sequence[Message], column: Column) -> Iterator[Batch | Bad]:
    try:
        rows = column.decode([message.value() or b"" for message in messages])
    except ValueError as error:
        if len(messages) == 1:
            yield Bad(messages[0], "value", str(error))
            return
        # One of them does not fit: the others are still one batch.
        good = list[Message]()
        for message in messages:
            try:
                column.decode([message.value() or b""])
            except ValueError as reason:
                yield Bad(message, "value", str(reason))
            else:
                good.append(message)
        if good:
            yield from _part(good, column)
        return
    yield from _finite(messages, rows)


def _finite(messages: Sequence[Message], rows: NDArray[Any]) -> Iterator[Batch | Bad]:
    """Leave out rows with numbers that are not finite: no model was trained on these."""
    if rows.dtype.kind not in "fc":
        yield Batch(messages, rows)
        return
    is_good = np.isfinite(rows).reshape(len(rows), -1).all(1)
    if is_good.all():
        yield Batch(messages, rows)
        return
    for index in np.flatnonzero(~is_good).tolist():
        bad = rows[index][~np.isfinite(rows[index])].flat[0]
        yield Bad(messages[index], "value", f"{bad}, expected numbers")
    if is_good.any():
        kept = [message for message, good in zip(messages, is_good, strict=True) if good]
        yield Batch(kept, rows[is_good])
