"""The topic with the cameras that should exist: `CAMERASTOPIC`."""

import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, Final

from confluent_kafka import Message
from prometheus_client import Counter

from pipeline.cameras.record import CameraRecord, RecordError, decode, encode, name_of
from pipeline.kafka import clients
from pipeline.kafka.records import Records
from pipeline.kafka.topics import COMPACTED, Topic
from pipeline.service.logs import Seldom

log = logging.getLogger(__name__)

MOST_CAMERAS: Final = 10_000
"""Cameras that the topic may hold."""

_BAD = Counter(
    "streamlens_bad_camera_records", "Messages on the topic of cameras that are not records", ["kind"]
)

Change = CameraRecord | RecordError | None
"""A camera's new record, why it cannot be used, or that the camera was removed."""


class CameraTopic:
    """Follows the topic, and writes records. `cameras` is what it holds.

    `on_change` is called with a camera's name and its new record in the thread that calls `step`. A record
    that cannot be used replaces the one before: the error says why.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        extra: Mapping[str, Any],
        on_change: Callable[[str, Change], object] = lambda _, __: None,
        *,
        fetch_wait: float = 0.1,
    ) -> None:
        self.name = topic
        self.cameras: dict[str, CameraRecord | RecordError] = {}
        self.is_read = False
        """Whether all that the topic held at the start is in `cameras`."""
        self._on_change = on_change
        self._create = Topic(topic, COMPACTED, lambda: clients.admin(bootstrap, dict(extra)))
        reads = {
            "allow.auto.create.topics": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
        }
        self._records = Records(
            clients.consumer(bootstrap, "cameras", fetch_wait, {**clients.UNHURRIED, **extra, **reads}),
            topic,
            self._take,
            producer=clients.producer(bootstrap, "none", {**clients.UNHURRIED, **extra, "acks": "all"}),
            create=self._create,
        )
        self._seldom = Seldom(log)

    def step(self) -> None:
        """Read what has come, and send what is due; see `Records.step`."""
        self._records.step()
        self.is_read |= self._records.is_at_end

    def catch_up(self, timeout: float) -> bool:
        """Read all that the topic holds now; see `Records.catch_up`."""
        self.is_read |= (is_all := self._records.catch_up(timeout))
        return is_all

    def put(self, name: str, record: CameraRecord) -> Future[None]:
        """Add or change a camera, whose link is sealed already; see `Records.put`."""
        return self._records.put(name.encode(), encode(record))

    def remove(self, name: str) -> Future[None]:
        """Remove a camera."""
        return self._records.remove(name.encode())

    def unready(self) -> str | None:
        """Return why the cameras are not known yet, in one line, or None."""
        if self.is_read:
            return None
        return self._create.trouble or f"topic {self.name}, which lists the cameras, has not been read yet"

    @property
    def trouble(self) -> str | None:
        """Why the newest record could not be written, in one line, or None."""
        return self._records.trouble

    def close(self) -> None:
        """Send the rest, which takes half a second at most, and stop reading."""
        self._records.close()

    def _take(self, message: Message) -> None:
        place = f"{self.name}[{message.partition()}] at {message.offset()}"
        try:
            name = name_of(message.key())
        except RecordError as error:
            self._note(error, f"message of {place} skipped: {error}")
            return
        value, before = message.value(), self.cameras.get(name)
        change: Change = None
        if value is not None:
            try:
                if before is None and len(self.cameras) >= MOST_CAMERAS:
                    raise RecordError("too_many", f"{MOST_CAMERAS} cameras are there already")
                change = decode(value)
            except RecordError as error:
                change = error
                self._note(error, f"the record of camera {name}, {place}, cannot be used: {error}")
                if error.kind == "too_many":
                    return
        if change is None:
            self.cameras.pop(name, None)
        else:
            self.cameras[name] = change
        if change != before:
            self._on_change(name, change)

    def _note(self, error: RecordError, line: str) -> None:
        _BAD.labels(error.kind).inc()
        self._seldom.warning(error.kind, line)


def why_no_partition(number: int | None, partitions: int) -> str | None:
    """Return in one line why a camera's frames cannot go to a partition, as far as is known, or None.

    `partitions` is how many the topic of the frames has; 0 if that is not known.
    """
    if not partitions or number is None or number < partitions:
        return None
    expected = f"expected a number from 0 to {partitions - 1}"
    return f"partition: {expected}: the topic of the frames has no partition {number}"


def partition_for(partitions: int, others: Iterable[CameraRecord | RecordError]) -> int:
    """Return the partition for a new camera's frames: one of those with the fewest cameras."""
    used = [other.partition for other in others if isinstance(other, CameraRecord)]
    return min(range(partitions), key=lambda number: (used.count(number), number))
