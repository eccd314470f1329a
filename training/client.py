"""Sinks: send samples to a Kafka topic, and then the control message that starts a training on them.

Compatible with Kafka-ML: the messages are those that its own sinks write.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from training.data import avro, detect, pictures, raw
from training.data.writing import SendError
from training.sink import Options, Sink

__all__ = [
    "AvroSink",
    "FederatedAvroSink",
    "FederatedJpegSink",
    "FederatedRawSink",
    "JpegSink",
    "Options",
    "RawSink",
    "SendError",
    "Sink",
]


class RawSink(Sink):
    """Sends arrays, numbers, lists and texts, as they are in memory.

    The first sample and its label show their types and shapes, unless these are given: names of numpy's
    types, such as `float32`, and shapes such as `28 28`. All other samples must be like that.
    """

    _format = "RAW"

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        deployment: int,
        *,
        data_type: str | None = None,
        label_type: str | None = None,
        data_reshape: str | None = None,
        label_reshape: str | None = None,
        **options: Unpack[Options],
    ) -> None:
        for name, kind, shape in (("data", data_type, data_reshape), ("label", label_type, label_reshape)):
            if kind is None and shape is not None:
                raise ValueError(f"{name}_reshape {shape!r}: expected {name}_type too")
        self._data = None if data_type is None else raw.column(data_type, data_reshape)
        self._label = None if label_type is None else raw.column(label_type, label_reshape, "label")
        super().__init__(bootstrap, topic, deployment, **options)

    def send(self, data: Any, label: Any) -> None:
        """Send a sample; raise ValueError if it is not like the others."""
        self._data = self._data or detect.detected(data, "data")
        self._label = self._label or detect.detected(label, "label")
        value, key = detect.encoded(self._data, data, "data"), detect.encoded(self._label, label, "label")
        if self._input_config is None:
            (data_type, data_reshape), (label_type, label_reshape) = map(
                detect.described, (self._data.settled(value), self._label.settled(key))
            )
            self._input_config = {
                "data_type": data_type,
                "label_type": label_type,
                "data_reshape": data_reshape,
                "label_reshape": label_reshape,
            }
        self._write(value, key)

    def send_unlabelled(self, data: Any) -> None:
        """Send a sample without a label to `unsupervised_topic`."""
        self._data = self._data or detect.detected(data, "data")
        self._write_unlabelled(detect.encoded(self._data, data, "data"))


class AvroSink(Sink):
    """Sends records of numbers and booleans, as Avro; schemas are objects, texts, or the paths of files."""

    _format = "AVRO"

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        deployment: int,
        data_scheme: str | Path | Mapping[str, Any],
        label_scheme: str | Path | Mapping[str, Any],
        **options: Unpack[Options],
    ) -> None:
        data, label = avro.text(data_scheme, "data_scheme"), avro.text(label_scheme, "label_scheme")
        self._data, self._label = avro.column(data, "data_scheme"), avro.column(label, "label_scheme")
        super().__init__(bootstrap, topic, deployment, **options)
        self._input_config = {"data_scheme": data, "label_scheme": label}

    def send(self, data: Mapping[str, Any], label: Mapping[str, Any]) -> None:
        """Send a record and its label, a record too; raise ValueError if it does not fit its schema."""
        self._write(self._data.encode(data), self._label.encode(label))

    def send_unlabelled(self, data: Mapping[str, Any]) -> None:
        """Send a record without a label to `unsupervised_topic`."""
        self._write_unlabelled(self._data.encode(data))


class JpegSink(Sink):
    """Sends JPEGs with one of `labels` each; the training scales them to `size`, height and width."""

    _format = "JPEG"

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        deployment: int,
        labels: list[str],
        size: tuple[int, int],
        **options: Unpack[Options],
    ) -> None:
        _, self._labels = pictures.columns(labels, size)
        super().__init__(bootstrap, topic, deployment, **options)
        self._input_config = {"labels": list(labels), "size": list(size)}

    def send(self, data: bytes, label: int | str) -> None:
        """Send a JPEG, and its label's number or name; raise ValueError for anything else."""
        pictures.check(data)
        self._write(data, self._labels.encode(label))

    def send_unlabelled(self, data: bytes) -> None:
        """Send a JPEG without a label to `unsupervised_topic`."""
        pictures.check(data)
        self._write_unlabelled(data)


class FederatedRawSink(RawSink):
    """A `RawSink` whose data stay with their owner: for federated trainings, whatever `deployment` is."""

    _is_federated = True


class FederatedAvroSink(AvroSink):
    """An `AvroSink` for federated trainings."""

    _is_federated = True


class FederatedJpegSink(JpegSink):
    """A `JpegSink` for federated trainings."""

    _is_federated = True
