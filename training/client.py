"""Sinks: send samples to a Kafka topic, and then the control message that starts a training on them.

Compatible with Kafka-ML: the messages are those that its own sinks write.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypedDict, Unpack

from pipeline.kafka import clients
from pipeline.service.settings import SettingsError
from training import arguments
from training.control.message import ControlMessage, check_rates, compose
from training.data import avro, detect, pictures, raw, writing
from training.data.ranges import Range, write
from training.data.writing import SendError, Writer
from training.federated import names

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

CONTROL_TOPIC: Final = "KAFKA_ML_CONTROL_TOPIC"
_UNLABELLED: Final = b"\0"  # the key of messages without a label


class Options(TypedDict, total=False):
    """What all sinks take: see `Sink`."""

    description: str
    validation_rate: float
    test_rate: float
    control_topic: str
    unsupervised_topic: str | None
    dataset_restrictions: Mapping[str, Any]
    config: Mapping[str, Any]
    progress: Callable[[int, int], object]


class Sink:
    """Sends samples to `topic` for a deployment, and its control message when it is closed.

    In a `with` block, an exception ends it without a control message: nothing is trained on half of the data.
    The rates are the shares of the samples for validation and test. Unlabelled samples go to
    `unsupervised_topic`. Federated trainings take only data with the same `dataset_restrictions`. `config`
    are settings of librdkafka, such as for TLS and logins. `progress` is
    called twice a second with the numbers of samples that Kafka has, and that were sent. Raises `SendError`
    when Kafka does not take them, and ValueError for what cannot be sent.
    """

    _format = ""
    _is_federated = False

    def __init__(self, bootstrap: str, topic: str, deployment: int, **options: Unpack[Options]) -> None:
        self._options = arguments.options(options, Options.__optional_keys__)
        self._bootstrap = arguments.bootstrap(bootstrap)
        self._deployment = arguments.deployment(deployment)
        check_rates(self._options.get("validation_rate", 0), self._options.get("test_rate", 0))
        unlabelled = self._options.get("unsupervised_topic")
        control = self._options.get("control_topic", CONTROL_TOPIC)
        more = {} if unlabelled is None else {"unsupervised_topic": unlabelled}
        arguments.topics(topic=topic, control_topic=control, **more)
        self._input_config: dict[str, Any] | None = None
        compose(self._message(()))  # what is wrong with it is found before anything is sent
        self._labelled = self._writer(topic, self._options.get("progress", writing.quiet))
        self._unlabelled: Writer | None = None
        if unlabelled is not None:
            self._unlabelled = self._writer(unlabelled, writing.quiet)
        self._is_open = True

    def close(self) -> None:
        """Wait until Kafka has all samples, and send the control message, unless that was done."""
        if not self._is_open:
            return
        try:
            if self._input_config is None:
                raise SendError("no sample was sent, so there is nothing to train on")
            ranges = self._labelled.finish()
            unlabelled = None if self._unlabelled is None else write(self._unlabelled.finish())
            topic = names.DATA if self._is_federated else CONTROL_TOPIC
            control = self._writer(self._options.get("control_topic", topic), writing.quiet)
            try:
                key, value = compose(self._message(ranges, unlabelled))
                control.write(value, key)
                control.finish()
            finally:
                control.close()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """End without a control message."""
        if self._is_open:
            self._is_open = False
            self._labelled.close()
            if self._unlabelled is not None:
                self._unlabelled.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def _write(self, value: bytes, key: bytes) -> None:
        self._check_open()
        self._labelled.write(value, key)

    def _write_unlabelled(self, value: bytes) -> None:
        self._check_open()
        if self._unlabelled is None:
            raise SendError("unlabelled samples need a topic of their own: set unsupervised_topic")
        self._unlabelled.write(value, _UNLABELLED)

    def _check_open(self) -> None:
        if not self._is_open:
            raise SendError("this sink is closed: open a new one")

    def _message(self, ranges: tuple[Range, ...], unlabelled: str | None = None) -> ControlMessage:
        restrictions = dict(self._options.get("dataset_restrictions", {}))
        return ControlMessage(
            deployment=self._deployment,
            ranges=ranges,
            unsupervised_topic=unlabelled,
            input_format=self._format,
            input_config=self._input_config or {},
            validation_rate=self._options.get("validation_rate", 0),
            test_rate=self._options.get("test_rate", 0),
            description=self._options.get("description", ""),
            total_msg=sum(map(len, ranges)),
            # Kafka-ML's federated sinks send a text.
            dataset_restrictions=json.dumps(restrictions) if self._is_federated else restrictions,
        )

    def _writer(self, topic: str, progress: writing.Progress) -> Writer:
        try:
            return Writer(self._bootstrap, topic, self._options.get("config"), progress)
        except SettingsError as error:
            raise ValueError(f"config: {str(error).removeprefix(clients.REFUSED)}") from None


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
        self._write(value, key)
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
