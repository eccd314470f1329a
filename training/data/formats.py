"""The formats of data messages: the decoder for what a control message says."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data import avro, pictures, raw
from training.data.column import Column


@dataclass(frozen=True, slots=True)
class Decoder:
    """Decodes the values of messages to features, and their keys to labels, unless `keys` is None.

    `names` are those of the classes, where the format has them. Messages with an empty key are left out if
    `skips_unlabelled`.
    """

    values: Column
    keys: Column | None
    names: tuple[str, ...] = field(default=())
    skips_unlabelled: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample's features; one dimension is -1 if it follows from an example."""
        return self.values.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the features."""
        return self.values.dtype

    def features(self, value: bytes) -> NDArray[Any]:
        """Return the features in one message; raise ValueError with the reason if they do not fit."""
        row: NDArray[Any] = self.values.settled(value).decode([value])[0, ...]
        return row

    def label(self, key: bytes) -> NDArray[Any]:
        """Return the label in one message; raise ValueError with the reason if it does not fit."""
        if self.keys is None:
            raise ValueError("this decoder is for messages without labels")
        row: NDArray[Any] = self.keys.settled(key).decode([key])[0, ...]
        return row

    def settled(self, value: bytes, key: bytes | None) -> "Decoder":
        """Return a decoder whose shapes are known, by an example; without its key, only the features'."""
        keys = self.keys and (self.keys if key is None else self.keys.settled(key))
        return replace(self, values=self.values.settled(value), keys=keys)


def decoder(input_format: str, input_config: Mapping[str, Any], *, labelled: bool = True) -> Decoder:
    """Return the decoder of a format; raise ValueError, with what to change, if there is none.

    Unless the messages are `labelled`, their keys mean nothing.
    """
    try:
        found = _decoder(input_format, input_config, labelled=labelled)
    except ValueError as error:
        raise ValueError(f"{input_format}: {error}") from None
    if found is None:
        raise ValueError(f"input_format {input_format[:60]!r}: expected RAW, AVRO or JPEG")
    return found


def _decoder(input_format: str, config: Mapping[str, Any], *, labelled: bool) -> Decoder | None:
    match input_format:
        case "RAW":
            values = raw.column(config.get("data_type"), config.get("data_reshape"), "data")
            if not labelled:
                return Decoder(values, None)
            return Decoder(values, raw.column(config.get("label_type"), config.get("label_reshape"), "label"))
        case "AVRO":
            records = avro.column(config.get("data_scheme"), "data_scheme")
            return Decoder(
                records, avro.column(config.get("label_scheme"), "label_scheme") if labelled else None
            )
        case "JPEG":
            images, labels = pictures.columns(config.get("labels"), config.get("size"))
            if not labelled:
                return Decoder(images, None, labels.names)
            return Decoder(images, labels, labels.names, skips_unlabelled=True)
        case "JSON" | "TELEGRAF_STR_JSON":
            raise ValueError("this format is for inference only: expected RAW, AVRO or JPEG")
    return None
