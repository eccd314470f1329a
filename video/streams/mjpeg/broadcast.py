"""One camera's MJPEG: each frame becomes a part once, and is written to all clients that have room for it."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from pipeline.flow.pace import Pace
from pipeline.http.connection import Connection
from video.cameras.camera import SILENT, Camera, Listed
from video.streams.client import StreamClient
from video.streams.metrics import STREAM_CLIENTS, STREAM_SENT
from video.streams.mjpeg.blank import BlankMaker
from video.streams.mjpeg.framing import PROBE, part


class Broadcast:
    """Listens to one camera; `interval` is the shortest time between two frames of the stream, in s.

    A client that reads slowly misses frames: the next one it gets is always the newest.
    """

    def __init__(self, camera: Camera, interval: float) -> None:
        self.clients: set[StreamClient] = set()
        self._waiting: set[StreamClient] = set()  # clients that have not yet got the frame they were due
        self._camera = camera
        self._pace = Pace(interval)
        self._sent = STREAM_SENT.labels(camera.name)
        self._blank = BlankMaker(camera, self._replace)
        self._number = 0  # of the frame in `_part`
        self._part = b""

    def add(self, connection: Connection) -> StreamClient:
        """Send a client the newest frame now, and those that follow as they come."""
        client = StreamClient(connection, PROBE)
        connection.on_room = partial(self._catch_up, client)
        self.clients.add(client)
        self._waiting.add(client)
        self._catch_up(client)
        self.changed(self._camera)
        return client

    def remove(self, client: StreamClient) -> None:
        """Send a client nothing more."""
        self.clients.discard(client)
        self._waiting.discard(client)

    def frame(self, camera: Camera) -> None:  # noqa: ARG002
        """Send the newest frame to the clients that are due one."""
        now = time.monotonic()
        if self._pace.due(now):
            self._waiting.update(self.clients)
        if self._waiting:
            self._send(tuple(self._waiting), now)

    def changed(self, camera: Listed) -> None:
        """If the camera has fallen silent, send its clients a picture that says so."""
        if camera.state in SILENT and self.clients:
            self._blank.start()

    def gone(self, name: str) -> None:  # noqa: ARG002
        """End all streams."""
        self._blank.cancel()
        for client in self.clients:
            client.connection.close()

    def _replace(self, chunk: bytes) -> None:
        """Send a part in place of the camera's frame."""
        for client in self.clients:
            if not client.connection.full:
                client.connection.write(chunk)

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
    """The broadcasts that have clients, each with one frame per `interval` s at most."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._broadcasts: dict[Camera, Broadcast] = {}

    @contextmanager
    def join(self, camera: Camera, connection: Connection) -> Iterator[None]:
        """Send a client a camera's frames, the newest immediately."""
        broadcast = self._broadcasts.get(camera)
        if broadcast is None:
            broadcast = self._broadcasts[camera] = Broadcast(camera, self._interval)
            camera.subscribe(broadcast)
        client = broadcast.add(connection)
        try:
            with STREAM_CLIENTS.labels(camera.name).track_inprogress():
                yield
        finally:
            broadcast.remove(client)
            if not broadcast.clients:
                camera.unsubscribe(broadcast)
                del self._broadcasts[camera]
