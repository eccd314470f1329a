"""Reads the status topic: what all services report."""

import logging
import time
from collections.abc import Callable

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, Message
from prometheus_client import Counter

from pipeline.kafka.records import Records
from pipeline.service.logs import Seldom
from pipeline.wire import figures, model_figures
from pipeline.wire.status import LIFETIME, Status, StatusError, decode, decode_key
from video.cameras.processes import Processes

log = logging.getLogger(__name__)

_BAD = Counter("streamlens_bad_status_records", "Messages on the status topic that are not records", ["kind"])


class StatusTopic:
    """Reads the whole topic, without a group, from its beginning; hands on each record with its age in s.

    The `processes` get figures as well. A record that is too old is ignored; a message that is not a record
    is counted, logged and skipped. A tombstone means that the process has stopped. `consumer` must not create
    topics: it could not create this one as a compacted topic.
    """

    def __init__(
        self,
        consumer: Consumer,
        topic: str,
        sink: Callable[[Status, float], object],
        processes: Processes | None = None,
    ) -> None:
        self._processes = processes or Processes()
        self._records = Records(consumer, topic, self._take)
        self._name = topic
        self._sink = sink
        self._seldom = Seldom(log)
        self.step = self._records.step
        self.close = self._records.close

    def _take(self, message: Message) -> None:
        age = _age(message)
        if age >= LIFETIME:
            self._processes.ignored(age)
            return
        try:
            subject, value = decode_key(message.key()), message.value()
            if subject.service == figures.SERVICE:
                if value is not None and subject.instance.endswith(model_figures.PART):
                    self._processes.figure_models(model_figures.decode(value), age)
                elif value is not None:
                    self._processes.figure(figures.decode(value), age)
                return
            if value is None:
                status = Status(subject, "stopped", None, time.time() - age)
            else:
                status = decode(subject, value)
        except StatusError as error:
            _BAD.labels(error.kind).inc()
            place = f"{self._name}[{message.partition()}] at {message.offset()}"
            self._seldom.warning(error.kind, f"message of {place} skipped: {error}")
        else:
            self._sink(status, age)
            self._processes.report(status, age)


def _age(message: Message) -> float:
    kind, milliseconds = message.timestamp()
    return 0.0 if kind == TIMESTAMP_NOT_AVAILABLE else max(0.0, time.time() - milliseconds / 1000)
