"""What all sinks do: send samples to a topic, and the control message that names them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self, TypedDict, Unpack

from pipeline.kafka import clients
from pipeline.service.settings import SettingsError
from training import arguments
from training.control.message import ControlMessage, check_rates, compose
from training.data import writing
from training.data.ranges import Range, write
from training.data.writing import SendError, Writer
from training.federated import names

CONTROL_TOPIC: Final = "KAFKA_ML_CONTROL_TOPIC"
"""The topic of control messages, unless a sink is given another one."""

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
    online: bool


class Sink:
    """Sends samples to `topic` for a deployment, and its control message when it is closed.

    In a `with` block, an exception ends it without a control message: nothing is trained on half of the data.
    The rates are the shares of the samples for validation and test. Unlabelled samples go to
    `unsupervised_topic`. Federated trainings take only data with the same `dataset_restrictions`. `config`
    are settings of librdkafka, such as for TLS and logins. `progress` is called twice a second with the
    numbers of samples that Kafka has, and that were sent. Raises `SendError` when Kafka does not take them,
    and ValueError for what cannot be sent.

    With `online`, the stream has no end: the control message, with the name of the topic, is sent before the
    first sample. If unlabelled samples follow labelled ones, give `unsupervised_topic`: then the control
    message comes with the first unlabelled sample, and names the ranges of the labelled ones.
    """

    _format = ""
    _is_federated = False

    def __init__(self, bootstrap: str, topic: str, deployment: int, **options: Unpack[Options]) -> None:
        self._options = arguments.options(options, Options.__optional_keys__)
        self._bootstrap = arguments.bootstrap(bootstrap)
        # Federated data are for any training.
        self._deployment = arguments.deployment(deployment, least=0 if self._is_federated else 1)
        check_rates(self._options.get("validation_rate", 0), self._options.get("test_rate", 0))
        unlabelled = self._options.get("unsupervised_topic")
        self._control_topic = self._options.get(
            "control_topic", names.DATA if self._is_federated else CONTROL_TOPIC
        )
        more = {} if unlabelled is None else {"unsupervised_topic": unlabelled}
        arguments.topics(topic=topic, control_topic=self._control_topic, **more)
        self._is_online = self._options.get("online", False)
        if self._is_online and self._is_federated:
            raise ValueError("online: a federated training takes data that have an end: leave it out")
        self._is_announced = False
        self._topic = topic
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
            if self._input_config is None or (self._is_online and not self._is_announced):
                raise SendError("no sample was sent, so there is nothing to train on")
            ranges = self._labelled.finish()
            unlabelled = None if self._unlabelled is None else write(self._unlabelled.finish())
            if not self._is_online:
                self._send_control(self._message(ranges, unlabelled))
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
        if self._is_online and self._unlabelled is None:
            self._announce()
        elif self._is_announced:
            raise SendError("an online sink sends labelled samples before the first unlabelled one")
        self._labelled.write(value, key)

    def _write_unlabelled(self, value: bytes) -> None:
        self._check_open()
        if self._unlabelled is None:
            raise SendError("unlabelled samples need a topic of their own: set unsupervised_topic")
        if self._is_online:
            self._announce()
        self._unlabelled.write(value, _UNLABELLED)

    def _announce(self) -> None:
        """Send the control message of an online sink, unless that was done."""
        if self._is_announced:
            return
        if self._input_config is None:
            raise SendError("an online sink sends labelled samples first: send one before unlabelled ones")
        if self._unlabelled is None:
            message = replace(self._message(()), stream=self._topic)
        else:
            message = self._message(self._labelled.finish(), self._options.get("unsupervised_topic"))
        total = message.total_msg if self._unlabelled else None
        self._send_control(replace(message, incremental=True, total_msg=total))
        self._is_announced = True

    def _send_control(self, message: ControlMessage) -> None:
        control = self._writer(self._control_topic, writing.quiet)
        try:
            key, value = compose(message)
            control.write(value, key)
            control.finish()
        finally:
            control.close()

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
