"""One camera's MJPEG: each frame is made into a part once, and written to all clients that have room."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from prometheus_client import Counter, Gauge

from pipeline.flow.pace import Pace
from video.cameras.camera import Camera
from video.streams.connection import Connection
from video.streams.mjpeg.framing import part

_CLIENTS = Gauge("streamlens_stream_clients", "Clients that watch a camera's MJPEG", ["camera"])
_SENT = Counter("streamlens_stream_frames_sent", "Frames written to MJPEG clients", ["camera"])

# A window says nothing new until something is sent; after so many seconds a frame goes out all the same.
_PATIENCE: Final = 0.5
# To ask costs as much as all else of a client's turn. Each time that a client has read what it got, it is
# trusted for so many seconds more, and not asked; what it may leave unread meanwhile is what bounds them.
_TRUST: Final = 0.005
_MOST_TRUST: Final = 0.05


class StreamClient:
    """One client of a broadcast; it never waits."""

    __slots__ = ("_ask_at", "_last", "_trust", "connection")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._last = 0.0
        self._ask_at = 0.0
        self._trust = 0.0

    def take(self, chunk: bytes, now: float) -> bool:
        """Write a part, unless the client has more than one still to read; tell whether it was written."""
        connection = self.connection
        if connection.full:
            return False
        if now >= self._ask_at:
            unread = connection.unread()
            reads = unread <= len(chunk) // 2
            self._trust = min(self._trust + _TRUST, _MOST_TRUST) if reads else 0.0
            if unread > len(chunk) and now - self._last < _PATIENCE:
                return False
            self._ask_at = now + self._trust
        self._last = now
        connection.write(chunk)
        return True


class Broadcast:
    """Lives on the event loop; `interval` is the least time between two frames in s.

    A client that reads slowly misses frames: the next one it gets is always the newest.
    """

    def __init__(self, camera: Camera, interval: float) -> None:
        self.clients: set[StreamClient] = set()
        self._waiting: set[StreamClient] = set()  # for whom a frame was due that they have not got
        self._camera = camera
        self._pace = Pace(interval)
        self._sent = _SENT.labels(camera.name)
        self._number = 0  # of the frame that is in the part
        self._part = b""

    def add(self, connection: Connection) -> StreamClient:
        """Send a client the newest frame, and those that follow."""
        client = StreamClient(connection)
        connection.on_room = partial(self._catch_up, client)
        self.clients.add(client)
        self._waiting.add(client)
        self._catch_up(client)
        return client

    def remove(self, client: StreamClient) -> None:
        """Send it no more."""
        self.clients.discard(client)
        self._waiting.discard(client)

    def show(self, _: Camera) -> None:
        """Send the newest frame to those for whom one is due."""
        now = time.monotonic()
        if self._pace.due(now):
            self._waiting.update(self.clients)
        if self._waiting:
            self._send(tuple(self._waiting), now)

    def replace(self, chunk: bytes) -> None:
        """Send a part that stands for the camera's frame while none comes."""
        for client in self.clients:
            if not client.connection.full:
                client.connection.write(chunk)

    def close(self) -> None:
        """End all streams."""
        for client in self.clients:
            client.connection.close()

    def _catch_up(self, client: StreamClient) -> None:
        if client in self._waiting:
            self._send((client,), time.monotonic())

    def _send(self, clients: Iterable[StreamClient], now: float) -> None:
        if self._number != self._camera.number:
            self._number, self._part = self._camera.number, part(self._camera.frame)
        chunk = self._part
        served = [client for client in clients if client.take(chunk, now)]
        self._waiting.difference_update(served)
        self._sent.inc(len(served))


class Broadcasts:
    """The broadcasts that somebody watches now, each at one frame in `interval` s."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._broadcasts: dict[Camera, Broadcast] = {}

    @contextmanager
    def join(self, camera: Camera, connection: Connection) -> Iterator[None]:
        """Send a client a camera's frames, the newest at once."""
        broadcast = self._broadcasts.get(camera)
        if broadcast is None:
            broadcast = self._broadcasts[camera] = Broadcast(camera, self._interval)
            camera.watch(broadcast)
        client = broadcast.add(connection)
        try:
            with _CLIENTS.labels(camera.name).track_inprogress():
                yield
        finally:
            broadcast.remove(client)
            if not broadcast.clients:
                camera.unwatch(broadcast)
                del self._broadcasts[camera]
