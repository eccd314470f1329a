"""Waits for the control message that says what to train on."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from pipeline.kafka import clients
from pipeline.kafka.causes import Causes
from pipeline.service.logs import Seldom
from training.code.supervise import StoppedError
from training.control.message import ControlMessage, parse, parse_deployment

log = logging.getLogger(__name__)
_seldom: Final = Seldom(log)

_WAIT: Final = 0.2  # s
_LOOK_EVERY: Final = 2.0  # s between two looks at the topic's partitions
_TEXT: Final = (
    "waiting for a control message for deployment {deployment}; there is one with the text '{deployment}' as"
    " its key, which means deployment {number}: if it was meant for this one, send it again with the id as a"
    " number"
)


def wait(
    bootstrap: str,
    topic: str,
    deployment: int,
    since: datetime | None,
    *,
    config: Mapping[str, Any],
    stop: threading.Event,
    waiting: Callable[[str], object],
) -> ControlMessage:
    """Return the first control message of a deployment, of all that the topic has and will have.

    Older ones than `since` do not count. `waiting` is called with what the job waits for. Raises
    StoppedError after `stop`.
    """
    causes = Causes(bootstrap)
    options = {**config, "auto.offset.reset": "earliest"}
    topics = _Topic(clients.consumer(bootstrap, "streamlens-training", _WAIT, options, causes), topic, causes)
    oldest = 0 if since is None else int(since.timestamp() * 1000)
    reason, said = f"waiting for a control message for deployment {deployment} on topic {topic}", ""

    def skip(why: str) -> None:
        nonlocal reason
        reason = why

    try:
        while not stop.is_set():
            if (why := topics.look() or reason) != said:
                said = why
                waiting(why)
            message = topics.next(oldest)
            if message is not None and (found := ours(message.key(), message.value(), deployment, skip)):
                return found
        raise StoppedError
    finally:
        topics.close()


class _Topic:
    """Reads a topic from its beginning, also if it does not exist yet or gets more partitions."""

    def __init__(self, consumer: Consumer, name: str, causes: Causes) -> None:
        self._consumer = consumer
        self._name = name
        self._causes = causes
        self._known = set[int]()
        self._look_at = 0.0
        self._trouble: str | None = None
        self._refusal: str | None = None
        self.close = consumer.close

    def look(self) -> str | None:
        """Read partitions that are new; return why the topic cannot be read, if that is so."""
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _LOOK_EVERY
            self._trouble = self._read_new()
        return self._trouble or self._refusal

    def _read_new(self) -> str | None:
        try:
            found = self._consumer.list_topics(self._name, timeout=5).topics[self._name]
        except KafkaException as error:
            return self._causes.of(error.args[0], self._name, "read")
        new = found.partitions.keys() - self._known
        if new:
            places = [TopicPartition(self._name, each, OFFSET_BEGINNING) for each in new]
            self._consumer.incremental_assign(places)
            self._known |= new
        if found.error is None or found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return None  # a topic that does not exist yet will be created by the first sink
        return self._causes.of(found.error, self._name, "read")

    def next(self, oldest: int) -> Message | None:
        """Return the next message from this time on, in ms since the epoch; None if there is none yet."""
        message = self._consumer.poll(_WAIT)
        if message is None:
            return None
        if (error := message.error()) is not None:
            if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:  # reported once
                self._refusal = self._causes.of(error, self._name, "read")
            return None
        self._refusal = None
        kind, moment = message.timestamp()
        return message if kind == TIMESTAMP_NOT_AVAILABLE or moment >= oldest else None


def ours(
    key: bytes | None, value: bytes | None, deployment: int, waiting: Callable[[str], object]
) -> ControlMessage | None:
    """Return a control message if it is for this deployment and can be used."""
    try:
        if (number := parse_deployment(key)) != deployment:
            if key == str(deployment).encode():
                waiting(_TEXT.format(deployment=deployment, number=number))
            return None
    except ValueError as error:
        _seldom.warning("key", f"{error}; skipped")
        return None
    try:
        return parse(key, value)
    except ValueError as error:
        log.warning("%s; skipped", error)
        waiting(f"{error}; waiting for another one")
        return None
