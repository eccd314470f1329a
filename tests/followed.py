"""Stands in for producers and consumers of cameras as data: films and states for what the topic lists."""

import queue
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Final, Self

from confluent_kafka import Producer

from pipeline.cameras.record import CameraRecord
from pipeline.cameras.topic import CameraTopic
from pipeline.wire.status import State, Status, Subject, encode_key, encode_value
from tests.films import Camera, Films

REFUSED: Final = "connection refused"
"""Why a camera whose link leads nowhere sends nothing."""

_STEP: Final = 0.05  # s
_AGAIN: Final = 5.0  # s between two reports of a camera's state


class Followed:
    """Follows the topic of cameras until the block ends.

    `films` are the clips, by link; all other links are refused.
    """

    def __init__(self, bootstrap: str, films: Mapping[str, str], topic: str = "cameras") -> None:
        self._films = films
        self._sender = Films(bootstrap, [], rate=10)
        self._writer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0, "log_level": 0})
        self._topic = CameraTopic(bootstrap, topic, {})
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="followed", daemon=True)
        self._puts: queue.SimpleQueue[tuple[str, CameraRecord, threading.Event]] = queue.SimpleQueue()
        self._reported: dict[str, tuple[State, float]] = {}

    def __enter__(self) -> Self:
        self._sender.__enter__()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, trace: TracebackType | None) -> None:
        self._stopping.set()
        self._thread.join(20)
        self._topic.close()
        self._sender.__exit__(kind, None, trace)

    def sends(self, camera: str) -> bool:
        """Return whether a camera is captured now."""
        found = self._sender.cameras.get(camera)
        return found is not None and found.running

    def put(self, name: str, record: CameraRecord) -> None:
        """Write a record, as a command would; it is there when this returns."""
        done = threading.Event()
        self._puts.put((name, record, done))
        assert done.wait(30), f"waited 30 s for the record of {name}"

    def _run(self) -> None:
        while not self._stopping.wait(_STEP):
            with suppress(queue.Empty):  # the topic belongs to this thread
                while True:
                    name, record, done = self._puts.get_nowait()
                    self._topic.put(name, record).add_done_callback(partial(_finish, done))
            self._topic.step()
            records = {
                name: each for name, each in self._topic.cameras.items() if isinstance(each, CameraRecord)
            }
            for name in set(self._sender.cameras) - set(records):
                self._sender.cameras = {
                    other: each for other, each in self._sender.cameras.items() if other != name
                }
            for name in set(self._reported) - set(records):
                self._report(name, "stopped")
                del self._reported[name]
            for name, record in records.items():
                self._follow(name, record)

    def _follow(self, name: str, record: CameraRecord) -> None:
        film = self._films.get(record.link)
        runs = film is not None and not record.paused and not record.has_ended(time.time())
        camera = self._sender.cameras.get(name)
        if film is not None and (camera is None or camera.film != film):
            camera = Camera(name, film, running=runs)
            self._sender.cameras = {**self._sender.cameras, name: camera}
        if camera is not None:
            camera.running = runs
        state: State = "paused" if record.paused else "live" if runs else "no-signal"
        before, at = self._reported.get(name, (None, 0.0))
        if state != before or time.monotonic() - at > _AGAIN:
            self._reported[name] = (state, time.monotonic())
            self._report(name, state, REFUSED if state == "no-signal" else None)

    def _report(self, name: str, state: State, reason: str | None = None) -> None:
        status = Status(Subject("producer", "host", name), state, reason, time.time())
        self._writer.produce("status", key=encode_key(status.subject), value=encode_value(status))
        self._writer.poll(0)


def _finish(done: threading.Event, _: Future[None]) -> None:
    done.set()
