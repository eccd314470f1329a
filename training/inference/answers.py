"""Answers as messages: `{"values": [...]}`, as Kafka-ML writes them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Message
from numpy.typing import NDArray
from pydantic_core import to_json

Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A message for the output topic, and the one that it answers, whose key and headers it has."""

    question: Message
    value: bytes

    @property
    def key(self) -> bytes | None:
        """The key."""
        return self.question.key()

    @property
    def headers(self) -> Headers:
        """The headers; empty if there are none."""
        return [*(self.question.headers() or ())]


def answers(messages: Sequence[Message], predictions: NDArray[Any]) -> Iterator[Answer]:
    """Yield the answer to each message, given the predictions, shape (n, …)."""
    rows = predictions.reshape(len(predictions), -1) if predictions.ndim == 1 else predictions
    for message, row in zip(messages, rows.tolist(), strict=True):
        yield Answer(message, value(row))


def value(row: object) -> bytes:
    """Return the value of an answer; JSON has no NaN and no infinity, so these are null."""
    return b'{"values": ' + to_json(row, inf_nan_mode="null") + b"}"


def is_valid(predictions: NDArray[Any], count: int) -> bool:
    """Whether these are numbers, one row for each of `count` messages."""
    return predictions.ndim > 0 and len(predictions) == count and predictions.dtype.kind in "biuf"
