"""Reports the state of a service, of its cameras, and its figures to the status topic."""

import logging
import re
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Delivered

from pipeline.kafka import clients
from pipeline.kafka.causes import topic_cause
from pipeline.kafka.topics import STATES, Topic
from pipeline.service.logs import Seldom
from pipeline.service.masking import hide
from pipeline.service.values import Address
from pipeline.service.workers import Pulse
from pipeline.wire import figures as wire
from pipeline.wire import model_figures
from pipeline.wire.figures import FIGURES_EVERY, CameraFigures, Figures
from pipeline.wire.model_figures import ModelFigures, Models
from pipeline.wire.status import EVERY, State, Status, Subject, encode_key, encode_value

log = logging.getLogger(__name__)

Condition = tuple[State, str | None]
"""A state, and the reason for it in one line, if there is one."""

_LOOK_EVERY: Final = 0.5  # s
_SHORT: Final = 1.0  # s; between shorter intervals it makes no difference who waits how long for a frame
_NOTABLY: Final = 1.5  # times
_MOVED: Final = 2.0  # s in which another process reports a camera that has moved to it


def instance() -> str:
    """Return a name for this process, unlike that of any other: its host's name, and a random number."""
    host = re.sub(r"[^A-Za-z0-9.-]+", "-", socket.gethostname()).strip(".-")[:100]
    return f"{host or 'host'}-{secrets.token_hex(3)}"


@dataclass(slots=True)
class _Report:
    """What is reported about one subject: what to ask, and what was said last."""

    look: Callable[[], Condition]
    interval: Callable[[], float]
    said: Condition | None = None
    said_interval: float = 0.0
    since: float = field(default_factory=time.time)
    due_at: float = 0.0


class Reporter:
    """Sends what `look` returns: when it changes, and every ten seconds. It never waits for a frame's path.

    `look` and `interval` (`Status.interval`) are called twice a second in the reporter's thread. The producer
    may be shared with a `Publisher`. `bootstrap` and `extra` are the settings with which it was made. More
    subjects come with `add` and go with `drop`. `figures` returns what the process counts of each camera, and
    `models` of each model that it asks, which is sent every two seconds.
    """

    def __init__(
        self,
        producer: Producer,
        topic: str,
        subject: Subject,
        look: Callable[[], Condition],
        *,
        health: Address,
        bootstrap: str,
        extra: dict[str, Any],
        interval: Callable[[], float] = lambda: 0.0,
        figures: Callable[[], Mapping[str, CameraFigures]] | None = None,
        models: Callable[[], Mapping[str, ModelFigures]] | None = None,
    ) -> None:
        self._producer = producer
        self._process = subject
        self._figures = figures
        self._models = models
        self._figures_due_at = 0.0
        self._topic = Topic(topic, STATES, lambda: clients.admin(bootstrap, extra))
        self._reports = {subject: _Report(look, interval)}
        self._dropped: dict[Subject, float] = {}  # and when to remove their records
        self._port = health
        self._bootstrap = bootstrap
        self._health = ""
        self._seldom = Seldom(log)

    def add(
        self, subject: Subject, look: Callable[[], Condition], interval: Callable[[], float] = lambda: 0.0
    ) -> None:
        """Report about one more subject, from any thread."""
        self._dropped.pop(subject, None)
        self._reports[subject] = _Report(look, interval)

    def drop(self, subject: Subject, *, has_moved: bool) -> None:
        """Report no more about a subject, from any thread, and remove its record.

        If another process goes on with it, its first record comes before this one is removed.
        """
        if self._reports.pop(subject, None) is not None:
            self._dropped[subject] = time.monotonic() + (_MOVED if has_moved else 0.0)

    def run(self, pulse: Pulse) -> None:
        """Report until `pulse.stopping` is set: a worker."""
        while not pulse.stopping.is_set():
            if self._topic.is_there or self._prepare():
                self.step()
            pulse.beat()
            pulse.stopping.wait(_LOOK_EVERY)

    def step(self) -> None:
        """Send the present states, as far as that is due."""
        for subject, report in self._reports.copy().items():
            condition = report.look()
            slower = report.interval() > max(_SHORT, _NOTABLY * report.said_interval)
            if condition != report.said or slower or time.monotonic() >= report.due_at:
                self._send(subject, report, condition)
        for subject, at in self._dropped.copy().items():
            if time.monotonic() >= at:
                self._dropped.pop(subject, None)
                self._produce(encode_key(subject), None, _Report(lambda: ("stopped", None), lambda: 0.0))
        if self._figures is not None and time.monotonic() >= self._figures_due_at:
            self._figures_due_at = time.monotonic() + FIGURES_EVERY
            self._send_figures(self._figures())
            if self._models is not None and (found := self._models()):
                self._send_models(found)
        self._producer.poll(0)

    def close(self) -> None:
        """Report that this process has stopped, which takes half a second at most."""
        if self._topic.is_there:
            for subject, report in self._reports.copy().items():
                self._send(subject, report, ("stopped", None))
            self._producer.flush(0.5)

    def _send(self, subject: Subject, report: _Report, condition: Condition) -> None:
        state, reason = condition
        if report.said is None or state != report.said[0]:
            report.since = time.time()
        report.said = condition
        report.said_interval = round(report.interval(), 3)
        report.due_at = time.monotonic() + EVERY
        status = Status(
            subject,
            state,
            reason and hide(reason),
            report.since,
            self._health,
            report.said_interval,
        )
        self._produce(encode_key(subject), encode_value(status), report)

    def _send_figures(self, cameras: Mapping[str, CameraFigures]) -> None:
        figures = Figures(self._process.service, self._process.instance, time.time(), cameras)
        for key, value in wire.encode(figures):
            self._produce(key, value, _Report(lambda: ("ready", None), lambda: 0.0))  # never sent again

    def _send_models(self, models: Mapping[str, ModelFigures]) -> None:
        shown = {
            name: replace(each, trouble=each.trouble and hide(each.trouble)) for name, each in models.items()
        }
        found = Models(self._process.service, self._process.instance, shown)
        self._produce(
            *model_figures.encode(found, time.time()), _Report(lambda: ("ready", None), lambda: 0.0)
        )

    def _produce(self, key: bytes, value: bytes | None, report: _Report) -> None:
        def delivered(error: KafkaError | None, _: Delivered) -> None:
            if error is not None:
                self._note(error, report)

        try:
            self._producer.produce(self._topic.name, key=key, value=value, on_delivery=delivered)
        except BufferError:  # full of frames
            report.due_at = 0.0
        except KafkaException as error:
            self._note(error.args[0], report)

    def _note(self, error: KafkaError, report: _Report) -> None:
        report.due_at = 0.0
        # While Kafka is away, whatever the service does with frames says so.
        if error.code() not in {
            KafkaError._MSG_TIMED_OUT,
            KafkaError._PURGE_QUEUE,
            KafkaError._PURGE_INFLIGHT,
        }:
            why = topic_cause(error, self._topic.name, "write")
            self._seldom.warning(error.name(), f"the status was not sent: {why}")

    def _prepare(self) -> bool:
        """Create the topic unless it exists; return False to try again later."""
        if not self._topic.prepare(self._producer):
            return False
        self._health = _reachable(self._port, self._bootstrap)
        return True


def _reachable(listens: Address, bootstrap: str) -> str:
    """Return the address at which others reach a port of this process: on the network that leads to Kafka."""
    host = listens.host
    if not host:
        broker = Address.parse(bootstrap.partition(",")[0])
        try:
            kind, _, _, _, address = socket.getaddrinfo(*broker, type=socket.SOCK_DGRAM)[0]
            with socket.socket(kind, socket.SOCK_DGRAM) as probe:
                probe.connect(address)  # sends nothing
                host = probe.getsockname()[0]
        except OSError:
            host = socket.gethostname()
    return str(Address(host, listens.port))
