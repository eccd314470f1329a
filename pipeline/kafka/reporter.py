"""Reports the state of a service, or of its camera, to the status topic."""

import logging
import re
import secrets
import socket
import time
from collections.abc import Callable
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Delivered

from pipeline.kafka import clients
from pipeline.kafka.causes import topic_cause
from pipeline.kafka.topics import Topic
from pipeline.service.logs import Seldom
from pipeline.service.masking import hide
from pipeline.service.values import Address
from pipeline.service.workers import Pulse
from pipeline.wire.status import EVERY, State, Status, Subject, encode_key, encode_value

log = logging.getLogger(__name__)

Condition = tuple[State, str | None]
"""A state, and the reason for it in one line, if there is one."""

_LOOK_EVERY: Final = 0.5  # s
_SHORT: Final = 1.0  # s; between shorter intervals it makes no difference who waits how long for a frame
_NOTABLY: Final = 1.5  # times
_COMPACTED: Final = {
    "cleanup.policy": "compact,delete",
    # Each process has a key of its own: without this, those of killed ones would never go away.
    "retention.ms": "600000",
    # Only closed segments are compacted, and by default one is closed after a week.
    "segment.ms": "60000",
    # The age of a record is then judged by the broker's clock, not by those of all hosts.
    "message.timestamp.type": "LogAppendTime",
}


def instance() -> str:
    """Return a name for this process, unlike that of any other: its host's name, and a random number."""
    host = re.sub(r"[^A-Za-z0-9.-]+", "-", socket.gethostname()).strip(".-")[:100]
    return f"{host or 'host'}-{secrets.token_hex(3)}"


class Reporter:
    """Sends what `look` returns: when it changes, and every ten seconds. It never waits for a frame's path.

    `look` and `interval` (`Status.interval`) are called twice a second in the reporter's thread. The producer
    may be shared with a `Publisher`. `bootstrap` and `extra` are the settings with which it was made.
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
    ) -> None:
        self._producer = producer
        self._topic = Topic(topic, _COMPACTED, lambda: clients.admin(bootstrap, extra))
        self._subject = subject
        self._look = look
        self._interval = interval
        self._port = health
        self._bootstrap = bootstrap
        self._health = ""
        self._said: Condition | None = None
        self._said_interval = 0.0
        self._since = time.time()
        self._due_at = 0.0
        self._seldom = Seldom(log)

    def run(self, pulse: Pulse) -> None:
        """Report until `pulse.stopping` is set: a worker."""
        while not pulse.stopping.is_set():
            if self._topic.is_there or self._prepare():
                self.step()
            pulse.beat()
            pulse.stopping.wait(_LOOK_EVERY)

    def step(self) -> None:
        """Send the present state, if that is due."""
        condition = self._look()
        slower = self._interval() > max(_SHORT, _NOTABLY * self._said_interval)
        if condition != self._said or slower or time.monotonic() >= self._due_at:
            self._send(condition)
        self._producer.poll(0)

    def close(self) -> None:
        """Report that this process has stopped, which takes half a second at most."""
        if self._topic.is_there:
            self._send(("stopped", None))
            self._producer.flush(0.5)

    def _send(self, condition: Condition) -> None:
        state, reason = condition
        if self._said is None or state != self._said[0]:
            self._since = time.time()
        self._said = condition
        self._said_interval = round(self._interval(), 3)
        self._due_at = time.monotonic() + EVERY
        status = Status(
            self._subject,
            state,
            reason and hide(reason),
            self._since,
            self._health,
            self._said_interval,
        )
        try:
            self._producer.produce(
                self._topic.name,
                key=encode_key(self._subject),
                value=encode_value(status),
                on_delivery=self._delivered,
            )
        except BufferError:  # full of frames
            self._due_at = 0.0
        except KafkaException as error:
            self._note(error.args[0])

    def _delivered(self, error: KafkaError | None, _: Delivered) -> None:
        if error is not None:
            self._note(error)

    def _note(self, error: KafkaError) -> None:
        self._due_at = 0.0
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
