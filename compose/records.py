"""The records of a compacted topic, in a file: the embedded broker would lose them with its end."""

import fcntl
import json
import logging
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, Message, Producer

from compose.errors import BrokerError
from pipeline.kafka.records import Records
from pipeline.service import state
from pipeline.service.logs import Seldom

log = logging.getLogger(__name__)

_LARGEST: Final = 4 * 2**20  # bytes of keys and values; the broker itself keeps 5 MiB of a partition
_EVERY: Final = 0.2  # s from one writing of the file to the next
_GIVING: Final = 10.0  # s that the broker has to take what was kept
_READING: Final = 2.0  # s, at the end, for what has not been read yet


class KeptRecords:
    """Gives a broker what a topic held when the last one ended, and writes what changes to a file.

    Of each key, the newest value is kept. The file is replaced as a whole, so it is never half written.
    Raises `OSError` or `ValueError` if it cannot be used, and `BrokerError` if the broker does not take what
    was kept. The topic must exist.
    """

    def __init__(self, bootstrap: str, topic: str, folder: Path) -> None:
        state.prepare(folder)
        self._lock = _lock(folder / f"{topic}.lock")
        self._name = topic
        self._file = folder / f"{topic}.json"
        self._records = _read(self._file)
        self._is_written = True
        self._due = 0.0
        self._seldom = Seldom(log)
        client = {"bootstrap.servers": bootstrap, "log_level": 0}
        _give(client, topic, self._records)
        self._topic = Records(_consumer(client), topic, self._take)

    def step(self) -> None:
        """Read what has come, waiting for it a fifth of a second at most, and write it."""
        self._topic.step()
        if not self._is_written and time.monotonic() >= self._due:
            self._write()

    def close(self) -> None:
        """Write the rest."""
        with suppress(KafkaException):
            self._topic.catch_up(_READING)
        if not self._is_written:
            self._write()
        self._topic.close()
        os.close(self._lock)

    def _take(self, message: Message) -> None:
        key, value = message.key(), message.value()
        if key is None or value == self._records.get(key):
            return
        self._is_written = False
        self._records.pop(key, None)
        if value is not None:
            self._records[key] = value  # behind the others: the first is the oldest

    def _write(self) -> None:
        self._due = time.monotonic() + _EVERY
        self._shorten()
        unfinished = self._file.with_suffix(".new")
        texts = {_text(key): _text(value) for key, value in self._records.items()}
        try:
            with open(unfinished, "w", opener=_private) as file:
                json.dump(texts, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self._file)
        except OSError as error:
            self._seldom.warning("write", f"{self._file} cannot be written: {error.strerror}")
        else:
            self._is_written = True

    def _shorten(self) -> None:
        size = sum(len(key) + len(value) for key, value in self._records.items())
        while size > _LARGEST:
            key = next(iter(self._records))
            size -= len(key) + len(self._records.pop(key))
            self._seldom.warning(
                "size",
                f"topic {self._name} holds more than {_LARGEST} bytes: its oldest records are not kept",
            )


def keep(bootstrap: str, topics: Sequence[str], folder: Path) -> list[KeptRecords]:
    """Keep what these topics hold; what cannot be kept is logged."""
    kept = []
    for topic in topics:
        try:
            kept.append(KeptRecords(bootstrap, topic, folder))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            log.warning(
                "what topic %s holds is not kept over restarts, as STATEFOLDER='%s' cannot be used: %s",
                topic,
                folder,
                reason,
            )
    return kept


def _lock(file: Path) -> int:
    """Open a file that no other process may open like this; raise OSError if one has."""
    descriptor = _private(file, os.O_WRONLY | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise OSError("another broker uses it: give each a folder of its own") from None
    return descriptor


def _private(path: str | Path, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _read(file: Path) -> dict[bytes, bytes]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return {_bytes(key): _bytes(value) for key, value in found.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, RecursionError):
        raise ValueError(
            f"{file.name} cannot be read, so none of what it holds is used, and this run changes nothing in"
            " it: repair it, or remove it"
        ) from None


def _give(client: Mapping[str, Any], topic: str, records: Mapping[bytes, bytes]) -> None:
    if not records:
        return
    any_number, any_size = {"queue.buffering.max.messages": 10_000_000}, {"message.max.bytes": 100_000_000}
    producer = Producer({**client, **any_number, **any_size})
    for key, value in records.items():
        producer.produce(topic, value, key)
    if missing := producer.flush(_GIVING):
        raise BrokerError(f"the broker has not taken {missing} of {len(records)} records of topic {topic}")


def _consumer(client: Mapping[str, Any]) -> Consumer:
    return Consumer(
        {
            **client,
            "group.id": "records",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "allow.auto.create.topics": False,
            "fetch.wait.max.ms": 100,
        }
    )


def _text(content: bytes) -> str:
    """Return bytes as a text from which `_bytes` gets them back, whatever they are."""
    return content.decode(errors="surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
