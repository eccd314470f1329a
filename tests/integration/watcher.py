"""Reads all frames of a topic, or of a camera's video, for as long as a test runs."""

import socket
import threading
from collections import defaultdict
from collections.abc import Collection
from itertools import pairwise
from typing import Any, Final, NamedTuple, Self
from urllib.parse import quote

from confluent_kafka import Consumer, TopicPartition

from tests.bench.stream import captures

_PARTITIONS: Final = 16


class Seen(NamedTuple):
    """A frame on the topic: its producer's run, its number, and its capture, in s since the epoch."""

    run: str
    seq: int
    captured: float
    partition: int


class Watcher:
    """A thread that keeps what it has seen of each camera, in order."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.frames: defaultdict[str, list[Seen]] = defaultdict(list)
        self._consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": f"watch-{topic}", "fetch.wait.max.ms": 20}
        )
        self._consumer.assign([TopicPartition(topic, number, 0) for number in range(_PARTITIONS)])
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._consumer.close()

    def last(self, camera: str) -> Seen | None:
        """Return a camera's newest frame."""
        frames = self.frames.get(camera)
        return frames[-1] if frames else None

    def moves(self, cameras: Collection[str], since: float) -> bool:
        """Return whether each of these cameras has sent a frame that was captured after a time."""
        return all((last := self.last(each)) is not None and last.captured > since for each in cameras)

    def runs(self) -> dict[str, str]:
        """Return by which run each camera was captured last."""
        return {name: frames[-1].run for name, frames in self.frames.copy().items()}

    def longest_gap(self, camera: str, since: float) -> float:
        """Return the longest time in s between two frames of a camera, from the last before `since` on."""
        times = sorted(frame.captured for frame in self.frames[camera])
        times = [*[each for each in times if each < since][-1:], *[each for each in times if each >= since]]
        return max((after - before for before, after in pairwise(times)), default=0.0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            for message in self._consumer.consume(500, 0.05):
                if message.error() is None:
                    headers: dict[str, Any] = dict(message.headers() or [])
                    frame = Seen(
                        headers.get("run", b"").decode(),
                        int(headers["seq"]),
                        int(headers["captured"]) / 1e9,
                        message.partition() or 0,
                    )
                    self.frames[(message.key() or b"").decode()].append(frame)


class Screen:
    """A thread that watches a camera, and keeps when each frame was captured, in ns since the epoch."""

    def __init__(self, address: tuple[str, int], camera: str) -> None:
        self.captured: list[int] = []
        self._connection = socket.create_connection(address)
        path = quote(camera).encode()
        self._connection.sendall(b"GET /stream/%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path)
        self._thread = threading.Thread(target=self._run, name="screen")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        self.captured.extend(captures(self._connection))
