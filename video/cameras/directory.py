"""The topic of cameras as this server uses it: cameras come and go with it, and the API changes it."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any, Final, Protocol
from weakref import WeakValueDictionary

from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.cameras.seal import Seal
from pipeline.cameras.topic import CameraTopic, Change, partition_for, why_no_partition
from pipeline.kafka.records import FullError
from video.cameras.cameras import Cameras
from video.cameras.configured import configured

log = logging.getLogger(__name__)

_PATIENCE: Final = 5.0  # s that Kafka may take to store a record
_CONFIGURE_EVERY: Final = 0.1  # s: the reader takes all names at once


class UnavailableError(Exception):
    """A change was not stored; one line that says why, and what becomes of it."""


class Frames(Protocol):
    """The reader of the frames."""

    @property
    def partitions(self) -> int:
        """How many partitions the topic of the frames has; 0 if that is not known."""

    def configure(self, cameras: Collection[str]) -> None:
        """Set which cameras keep their places."""

    def forget(self, camera: str) -> None:
        """Forget a camera."""


class Directory:
    """Follows the topic in the thread that calls `step`; `put` and `remove` belong to the event loop.

    Both return once this server shows what they have changed. They raise `UnavailableError` if Kafka does not
    store it in time.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        extra: Mapping[str, Any],
        *,
        seal: Seal,
        cameras: Cameras,
        frames: Frames,
        fetch_wait: float = 0.1,
        patience: float = _PATIENCE,
    ) -> None:
        self.seal = seal
        self._cameras = cameras
        self._frames = frames
        self._patience = patience
        self._topic = CameraTopic(bootstrap, topic, extra, self._take, fetch_wait=fetch_wait)
        self._lock = threading.Lock()
        self._awaited: list[tuple[str, Change, Future[None]]] = []  # what the API waits to see
        self._writing: dict[str, CameraRecord] = {}
        # Of changes of the same camera that wait: a later one would replace one that is not stored yet.
        self._locks = WeakValueDictionary[str, asyncio.Lock]()
        self._is_outdated = False  # what the reader knows
        self._configure_at = 0.0
        self.unready = self._topic.unready
        self.close = self._topic.close
        cameras.on_late = frames.forget

    @property
    def records(self) -> Mapping[str, CameraRecord | RecordError]:
        """What the topic holds, by name; may change at any time."""
        return self._topic.cameras

    def known(self) -> dict[str, CameraRecord | RecordError]:
        """Return a copy of what the topic holds, with what is being written."""
        return self._topic.cameras.copy() | self._writing

    def step(self) -> None:
        """Read and write what is due; takes a fifth of a second at most while Kafka is there."""
        self._topic.step()
        now = time.monotonic()
        if self._is_outdated and now >= self._configure_at:
            self._is_outdated, self._configure_at = False, now + _CONFIGURE_EVERY
            self._frames.configure(list(self.records))

    def partition(self) -> int | None:
        """Return the partition for the frames of a new camera; None if the topic's are not known yet."""
        count = self._frames.partitions
        return partition_for(count, self.known().values()) if count else None

    def why_no_partition(self, number: int | None) -> str | None:
        """Return in one line why frames cannot go to a partition, as far as is known, or None."""
        return why_no_partition(number, self._frames.partitions)

    async def put(self, name: str, record: CameraRecord) -> None:
        """Add or change a camera, whose link is sealed."""
        self._writing[name] = record
        try:
            await self._write(name, record, lambda: self._topic.put(name, record))
        finally:
            if self._writing.get(name) is record:
                del self._writing[name]

    async def remove(self, name: str) -> None:
        """Remove a camera."""
        await self._write(name, None, lambda: self._topic.remove(name))

    async def _write(self, name: str, wanted: Change, write: Callable[[], Future[None]]) -> None:
        if why := self.unready():
            raise UnavailableError(why)
        try:
            async with asyncio.timeout(self._patience), self._locks.setdefault(name, asyncio.Lock()):
                await self._write_now(name, wanted, write)
        except FullError as error:
            raise UnavailableError(f"{error}; try again later") from None
        except TimeoutError:
            raise UnavailableError(f"{self._why()}; the change is made as soon as it answers") from None

    async def _write_now(self, name: str, wanted: Change, write: Callable[[], Future[None]]) -> None:
        seen = Future[None]()
        entry = (name, wanted, seen)
        with self._lock:
            self._awaited.append(entry)
        try:
            # The topic does not report a record that is there already.
            if self.records.get(name) != wanted:
                await asyncio.wrap_future(write())
                await asyncio.wrap_future(seen)
        finally:
            with self._lock:
                self._awaited.remove(entry)

    def _why(self) -> str:
        why = self._cameras.broker or self._topic.trouble
        return why or f"Kafka has not stored the change within {self._patience:g} s"

    def _take(self, name: str, change: Change) -> None:
        """Take a change, in the thread that reads."""
        self._is_outdated = True
        if change is None:
            self._cameras.configure(name, None)
            self._frames.forget(name)
        else:
            self._cameras.configure(name, configured(change, self.seal))
        with self._lock:
            for other, wanted, seen in self._awaited:
                if other == name and wanted == change:
                    with suppress(InvalidStateError):  # nobody waits any more
                        seen.set_result(None)
