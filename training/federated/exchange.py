"""The clients of one Kafka, as federated training uses it."""

import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from confluent_kafka import Consumer

from pipeline.kafka import clients
from pipeline.kafka.causes import Causes
from pipeline.kafka.topics import KEPT, Topic
from pipeline.service.logs import Seldom
from training.code.supervise import StoppedError
from training.federated.following import Follower
from training.federated.sending import Sender

_seldom: Final = Seldom(logging.getLogger(__name__))

KEPT_A_DAY: Final[Mapping[str, str]] = {"retention.ms": "86400000"}
"""Settings of topics with weights."""

_WAIT: Final = 0.2  # s
_RETRY: Final = 1.0  # s
_WRITES: Final = {
    "acks": "all",
    "enable.idempotence": True,
    "message.send.max.retries": 2**31 - 1,
    "message.timeout.ms": 10_000,
}
_READS: Final = {
    "auto.offset.reset": "earliest",
    "enable.partition.eof": True,
    "allow.auto.create.topics": False,
}


class Kafka:
    """The clients of one Kafka."""

    def __init__(self, bootstrap: str, config: Mapping[str, Any], stop: threading.Event) -> None:
        self._bootstrap = bootstrap
        self._config = dict(config)
        self._stop = stop
        self._causes = Causes(bootstrap)

    def consumer(self) -> Consumer:
        """Return a consumer of assigned partitions."""
        options = {**_READS, **self._config}
        return clients.consumer(self._bootstrap, "streamlens-federated", _WAIT, options, self._causes)

    def follower(self) -> Follower:
        """Return what follows topics."""
        return Follower(self.consumer(), self._causes)

    def sender(self, waiting: Callable[[str], object] = lambda _: None) -> Sender:
        """Return what writes."""
        producer = clients.producer(self._bootstrap, "none", {**_WRITES, **self._config}, self._causes)
        return Sender(producer, self._causes, self._stop, waiting)

    def create(self, consumer: Consumer, *names: str, weights: bool = False) -> None:
        """Create topics of one partition unless they exist: all their messages stay, weights for a day.

        Where that is not allowed, the first message creates them. Raises StoppedError after `stop`.
        """
        for name in names:
            topic = Topic(
                name,
                KEPT_A_DAY if weights else KEPT,
                partial(clients.admin, self._bootstrap, self._config),
            )
            while not topic.prepare(consumer):
                _seldom.warning("create", self._causes.why() or f"topic {name}: Kafka does not answer")
                if self._stop.wait(_RETRY):
                    raise StoppedError
