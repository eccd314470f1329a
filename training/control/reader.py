"""Stores what arrives on the control topic as datasources."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from confluent_kafka import Message
from prometheus_client import Counter
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from pipeline.service.logs import Seldom
from pipeline.service.settings import explain
from training.control.datasources import DatasourceFields, of_message, store
from training.database.engine import Database
from training.database.moment import now

log = logging.getLogger(__name__)

_BAD = Counter("streamlens_bad_control_messages", "Messages on the control topic that cannot be used")
_STORED = Counter("streamlens_datasources_stored", "Control messages that were stored as datasources")
_REPEAT: Final = "a control message waits: the database does not answer"


class Messages(Protocol):
    """What hands over messages, such as `pipeline.kafka.records.Records`."""

    def step(self) -> None:
        """Hand over what has come, waiting less than a second."""

    def close(self) -> None:
        """Stop reading."""


class ControlReader:
    """Reads the whole topic at each start; what is stored already is recognised.

    `messages` makes the reader of the topic from what is to be called with each message. While the database
    is away, a message waits.
    """

    def __init__(self, messages: Callable[[Callable[[Message], Any]], Messages], database: Database) -> None:
        self._database = database
        self._waiting: Message | None = None
        self._seldom = Seldom(log)
        self._messages = messages(self._take)

    def step(self) -> None:
        """Read and store what has come."""
        if self._waiting is None:
            self._messages.step()
        else:
            self._take(self._waiting)

    def close(self) -> None:
        """Stop reading."""
        self._messages.close()

    def _take(self, message: Message) -> None:
        place = f"{message.topic()}[{message.partition()}]@{message.offset()}"
        self._waiting = message
        try:
            fields = of_message(message.key(), message.value(), _sent(message))
        except ValueError as error:
            _BAD.inc()
            self._seldom.warning("bad", f"control message {place} skipped: {reason(error)}")
        else:
            try:
                self._store(fields, place)
            except DBAPIError:
                self._seldom.warning("database", _REPEAT)
                return
        self._waiting = None

    def _store(self, fields: DatasourceFields, place: str) -> None:
        with self._database.writing() as session:
            row = store(session, fields, place)
        _STORED.inc()
        log.debug("control message %s is datasource %d", place, row.id)


def reason(error: ValueError) -> str:
    """Return in one line why fields cannot be used."""
    if not isinstance(error, ValidationError):
        return str(error)
    lines = (
        f"{'.'.join(map(str, problem['loc']))}: {explain(dict(problem))}".removeprefix(": ")
        for problem in error.errors()
    )
    return "; ".join(lines)


def _sent(message: Message) -> datetime:
    _, milliseconds = message.timestamp()
    if milliseconds <= 0:
        return now()
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
