"""Fills arrays with the samples in messages, and finds the message that does not fit."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from confluent_kafka import Message
from numpy.typing import NDArray

from training.data import cache
from training.data.column import Column
from training.data.errors import DataError
from training.data.formats import Decoder
from training.data.places import Places
from training.data.samples import Samples

_CHUNK: Final = 64 * 1024 * 1024  # bytes that are moved at a time
_ABSENT: Final = {"value": "no value", "label": "no key, which would be its label"}

_Read = Callable[[Message], bytes | None]


class Filling:
    """Arrays for the samples of `total` messages, in memory up to `memory` bytes, beyond that in `folder`.

    Unless `accepts_nan`, features and labels that are not finite are refused. If the labels are the numbers
    of `classes`, all others are refused. The arrays are made when the first message shows their shapes.
    """

    def __init__(
        self,
        decoder: Decoder,
        total: int,
        *,
        memory: int,
        folder: Path | None = None,
        classes: int | None = None,
        accepts_nan: bool = False,
    ) -> None:
        self._decoder = decoder
        self._total = total
        self._memory = memory
        self._folder = folder
        self._classes = classes
        self._accepts_nan = accepts_nan
        self._samples: Samples | None = None
        self._filled = np.zeros(total, bool)
        self._texts = 0  # bytes of texts, which are always in memory

    def prepare(self) -> None:
        """Make the arrays now, if their shapes are known: that takes time in which messages can come."""
        forms = self._forms()
        is_known = all(-1 not in shape for shape, _ in forms)
        if is_known and cache.size(forms) <= self._memory:
            self._samples = self._samples or self._made()

    def take(self, messages: Sequence[Message], places: Places) -> None:
        """Put the samples in messages of one range to their places, which rise.

        Raises `DataError` for the first message that does not fit.
        """
        if self._decoder.skips_unlabelled and not all(keys := list(map(Message.key, messages))):
            has_label = [bool(key) for key in keys]
            messages = [each for each, is_kept in zip(messages, has_label, strict=True) if is_kept]
            places = places[has_label]
        if not messages:
            return
        samples = self._samples = self._samples or self._settled(messages[0])
        at = _slice(places)
        samples.features[at] = self._decoded(messages, self._decoder.values, Message.value, "value")
        if self._decoder.keys is not None and samples.labels is not None:
            samples.labels[at] = self._decoded(messages, self._decoder.keys, Message.key, "label")
        self._filled[at] = True

    def samples(self) -> Samples:
        """Return the samples, without the places for messages that Kafka no longer has, or never had."""
        count = int(np.count_nonzero(self._filled))
        if self._samples is None or not count:
            raise DataError("the ranges hold no samples: expected one at least")
        if count < self._total:
            kept = np.flatnonzero(self._filled)
            for array in (self._samples.features, self._samples.labels):
                if array is not None:
                    _move(array, kept)
        return self._samples.part(0, count)

    def _forms(self) -> list[cache.Form]:
        columns = [each for each in (self._decoder.values, self._decoder.keys) if each is not None]
        return [((self._total, *column.shape), column.dtype) for column in columns]

    def _made(self) -> Samples:
        made = cache.arrays(self._forms(), self._memory, self._folder)
        return Samples(made[0], made[1] if len(made) > 1 else None)

    def _settled(self, message: Message) -> Samples:
        """Make the arrays for samples like the one in a message."""
        value, key = message.value(), message.key()
        try:
            if value is None:
                raise ValueError(_ABSENT["value"])
            if key is None and self._decoder.keys is not None:
                raise ValueError(_ABSENT["label"])
            self._decoder = self._decoder.settled(value, key)
        except ValueError as error:
            raise DataError(f"{_place(message)}: {error}") from None
        return self._made()

    def _decoded(self, messages: Sequence[Message], column: Column, part: _Read, name: str) -> NDArray[Any]:
        data = list(map(part, messages))
        try:
            rows = column.decode(data)  # type: ignore[arg-type]  # None raises TypeError
            self._check(rows, name)
        except (ValueError, TypeError):
            self._blame(messages, column, part, name)
            raise
        if rows.dtype == object:
            self._texts += sum(len(text) for text in data if text is not None)
            if self._texts > self._memory:
                raise DataError(
                    f"the texts up to {_place(messages[-1])} take more than CACHEMEMORY, {self._memory}"
                    " bytes: raise it, or train on a smaller range"
                )
        return rows

    def _check(self, rows: NDArray[Any], name: str) -> None:
        if rows.dtype.kind in "fc" and not self._accepts_nan and not np.isfinite(rows).all():
            bad = rows[~np.isfinite(rows)].flat[0]
            raise ValueError(f"{bad}, expected numbers: leave such samples out, or replace them")
        if name == "label" and self._classes is not None and rows.dtype.kind in "biuf":
            with np.errstate(invalid="ignore"):
                is_class = (rows >= 0) & (rows < self._classes) & (rows == np.floor(rows))
            if not is_class.all():
                bad = rows[~is_class].flat[0]
                raise ValueError(
                    f"{bad:g}, expected 0 to {self._classes - 1}: the model has {self._classes} classes"
                )

    def _blame(self, messages: Sequence[Message], column: Column, part: _Read, name: str) -> None:
        """Raise `DataError` for the first message that does not fit."""
        for message in messages:
            data = part(message)
            if data is None:
                raise DataError(f"{_place(message)}: {_ABSENT[name]}") from None
            try:
                self._check(column.decode([data]), name)
            except ValueError as error:
                raise DataError(f"{_place(message)}: {name}: {error}") from None


def _slice(places: Places) -> slice | Places:
    """Return rising places as a slice if they are evenly spaced: numpy copies that four times as fast."""
    first, last = int(places[0]), int(places[-1])
    if last - first == len(places) - 1:
        return slice(first, last + 1)
    step = int(places[1]) - first
    return slice(first, last + 1, step) if (np.diff(places) == step).all() else places


def _place(message: Message) -> str:
    return f"topic {message.topic()}, partition {message.partition()}, offset {message.offset()}"


def _move(array: NDArray[Any], kept: Places) -> None:
    """Move the kept rows, in rising order, to the array's beginning."""
    step = max(1, _CHUNK // max(1, array[0].nbytes))
    for begin in range(0, len(kept), step):
        part = kept[begin : begin + step]
        array[begin : begin + len(part)] = array[part]
