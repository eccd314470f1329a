"""Messages of a stream as samples; those that do not fit are dropped, and counted by their reason."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from confluent_kafka import Message
from numpy.typing import NDArray

from pipeline.service.logs import Seldom
from training.data.column import Column
from training.data.formats import Decoder
from training.data.samples import Samples

log = logging.getLogger(__name__)
_seldom: Final = Seldom(log)

VALUE: Final = "value"
"""The reason for a value that is not in the format, or not finite."""

LABEL: Final = "label"
"""The reason for a label that is missing, not in the format, or not one of the model's."""

NEGATIVE: Final = "negative"
"""The reason for a picture that shows none of the labels."""


class Decoding:
    """Decodes messages with a decoder, whose open dimensions follow from the first message that fits."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def samples(self, messages: Sequence[Message]) -> tuple[Samples | None, dict[str, int]]:
        """Return the samples in messages, or None if there are none, and how many were dropped and why."""
        dropped = Counter[str]()
        keys = self._decoder.keys
        kept = list[Message]()
        for message in messages:
            if self._decoder.skips_unlabelled and not message.key():
                dropped[NEGATIVE] += 1
            elif message.value() is None:
                self._drop(message, VALUE, "no value", dropped)
            elif keys is not None and message.key() is None:
                self._drop(message, LABEL, "no key, which would be its label", dropped)
            elif self._fits(message, dropped):
                kept.append(message)
        if not kept:
            return None, dict(dropped)
        kept, features = self._rows(kept, VALUE, dropped)
        if keys is None or not kept:
            return (Samples(features, None) if kept else None), dict(dropped)
        labelled, labels = self._rows(kept, LABEL, dropped)
        if len(labelled) < len(kept):
            places = {id(each): place for place, each in enumerate(kept)}
            features = features[[places[id(each)] for each in labelled]]
        return (Samples(features, labels) if labelled else None), dict(dropped)

    def _fits(self, message: Message, dropped: Counter[str]) -> bool:
        """Settle the shapes with the first message that fits; return whether the message may fit."""
        reason, keys = VALUE, self._decoder.keys
        try:
            values = self._decoder.values.settled(message.value() or b"")
            if keys is not None:
                reason = LABEL
                keys = keys.settled(message.key() or b"")
        except ValueError as error:
            self._drop(message, reason, str(error), dropped)
            return False
        if values is not self._decoder.values or keys is not self._decoder.keys:
            self._decoder = replace(self._decoder, values=values, keys=keys)
        return True

    def _rows(
        self, messages: Sequence[Message], reason: str, dropped: Counter[str]
    ) -> tuple[list[Message], NDArray[Any]]:
        """Return the rows of one column, and the messages that they are from."""
        column = self._decoder.values if reason == VALUE else self._decoder.keys
        if column is None:
            raise ValueError("expected labels")
        data = [(each.value() if reason == VALUE else each.key()) or b"" for each in messages]
        try:
            rows = column.decode(data)
        except ValueError:
            # One of them does not fit: the others do.
            fitting, found = list[Message](), list[NDArray[Any]]()
            for message, each in zip(messages, data, strict=True):
                try:
                    found.append(column.decode([each]))
                    fitting.append(message)
                except ValueError as error:
                    self._drop(message, reason, str(error), dropped)
            messages, rows = fitting, _joined(found, column)
        return self._finite(messages, rows, reason, dropped)

    def _finite(
        self, messages: Sequence[Message], rows: NDArray[Any], reason: str, dropped: Counter[str]
    ) -> tuple[list[Message], NDArray[Any]]:
        if rows.dtype.kind not in "fc" or not len(rows):
            return list(messages), rows
        is_good = np.isfinite(rows).reshape(len(rows), -1).all(1)
        for place in np.flatnonzero(~is_good).tolist():
            self._drop(messages[place], reason, "a number that is not finite", dropped)
        return [each for each, good in zip(messages, is_good, strict=True) if good], rows[is_good]

    def _drop(self, message: Message, reason: str, why: str, dropped: Counter[str]) -> None:
        dropped[reason] += 1
        place = f"topic {message.topic()}, partition {message.partition()}, offset {message.offset()}"
        _seldom.warning(reason, f"{place}: {reason}: {why}; dropped")


def _joined(rows: Sequence[NDArray[Any]], column: Column) -> NDArray[Any]:
    return np.concatenate(rows) if rows else np.empty((0, *column.shape), column.dtype)
