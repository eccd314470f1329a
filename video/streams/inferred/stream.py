"""One stream: each picture is made once, and is written to all clients that have room for it."""

import asyncio
import logging
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, NamedTuple

from prometheus_client import Counter

from pipeline.access.visitor import Visitor
from pipeline.http.connection import Connection
from pipeline.service.logs import Seldom
from pipeline.wire.frame import Frame
from video.cameras.camera import SILENT, Camera, Listed
from video.streams.client import StreamClient
from video.streams.inferred.identity import Identity
from video.streams.inferred.separate import SeparateError, models_of, obstacle, separate
from video.streams.message import PONG, binary_message
from video.streams.metrics import NOT_SEPARATED, SOCKET_SENT, SOCKET_SKIPPED

log = logging.getLogger(__name__)
_seldom: Final = Seldom(log)

# A picture that takes longer keeps others waiting: its stream then rests for so many times as long.
_SLOW: Final = 0.1  # s
_REST: Final = 3

_SEPARATED = Counter("streamlens_pictures_separated", "Pictures made with the labels of one model only")


class _Made(NamedTuple):
    """What a thread made of a frame in `took` s: the JPEG, or the reason why there is none."""

    number: int
    jpeg: bytes | None
    problem: str
    took: float


class InferredStream:
    """Listens to its camera while there is one; belongs to the event loop.

    A client that reads slowly misses pictures: the next one it gets is always the newest.
    """

    def __init__(self, identity: Identity, pool: ThreadPoolExecutor) -> None:
        self.clients: dict[StreamClient, Visitor] = {}
        self._waiting: set[StreamClient] = set()  # clients that have not got the newest picture yet
        self._identity = identity
        self._pool = pool
        self._camera: Camera | None = None
        self._newest: tuple[int, Frame] | None = None  # that needs to be separated
        self._making: asyncio.Future[_Made] | None = None
        self._resting: asyncio.TimerHandle | None = None
        self._chunk = b""  # the newest picture as it is sent; empty if there is none

    def add(self, connection: Connection, visitor: Visitor) -> StreamClient:
        """Send a client the newest picture, and those that follow as they come."""
        client = StreamClient(connection, PONG)
        connection.on_room = partial(self._catch_up, client)
        self.clients[client] = visitor
        if self._chunk:
            self._waiting.add(client)
            self._catch_up(client)
        return client

    def remove(self, client: StreamClient) -> None:
        """Send a client nothing more."""
        del self.clients[client]
        self._waiting.discard(client)

    def attach(self, camera: Camera) -> None:
        """Follow this camera from now on."""
        if camera is self._camera:
            return
        self.detach()
        self._camera = camera
        camera.subscribe(self)
        if camera.state not in SILENT:
            self.frame(camera)

    def detach(self) -> None:
        """Follow no camera: the stream is silent."""
        if self._camera is not None:
            self._camera.unsubscribe(self)
        self._camera = None
        self._fall_silent()
        if self._making is not None:
            self._making.cancel()
            self._making = None
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None

    def frame(self, camera: Camera) -> None:
        """Take a new frame; it replaces one that is still waiting for the thread."""
        frame, model = camera.frame, self._identity.model
        models = models_of(frame)
        if model not in models:
            self._fall_silent()
        elif len(models) == 1:
            self._newest = None
            self._put_up(camera, frame.jpeg)
        elif problem := obstacle(frame):
            self._fail(camera, problem)
        else:
            self._newest = (camera.number, frame)
            if self._making is None and self._resting is None:
                self._make(camera)

    def changed(self, camera: Listed) -> None:
        """If the camera has fallen silent, show its last picture to nobody else."""
        if camera.state in SILENT:
            self._fall_silent()

    def gone(self, name: str) -> None:  # noqa: ARG002
        """Wait for the camera to come back."""
        self.detach()

    def _make(self, camera: Camera) -> None:
        self._making = asyncio.get_running_loop().run_in_executor(self._pool, self._separate_newest)
        self._making.add_done_callback(partial(self._made, camera))

    def _separate_newest(self) -> _Made:
        # Runs in the thread, and picks the newest frame only now.
        if self._newest is None:
            return _Made(0, None, "", 0.0)
        (number, frame), begun = self._newest, time.thread_time()
        try:
            jpeg, problem = separate(frame, self._identity.model), ""
        except SeparateError as error:
            jpeg, problem = None, f"frame {frame.seq}: {error}"
        return _Made(number, jpeg, problem, time.thread_time() - begun)

    def _made(self, camera: Camera, making: asyncio.Future[_Made]) -> None:
        if making is not self._making:  # of a camera that is no longer followed
            return
        self._making = None
        made = making.result()
        if made.took > _SLOW:
            rest = _REST * made.took
            loop = asyncio.get_running_loop()
            self._resting = loop.call_later(rest, self._go_on, camera, made.number)
        if self._newest is None:
            return
        if self._newest[0] != made.number and self._resting is None:
            self._make(camera)
        if made.jpeg is not None:
            _SEPARATED.inc()
            self._put_up(camera, made.jpeg)
        elif made.problem:
            self._fail(camera, made.problem)

    def _go_on(self, camera: Camera, number: int) -> None:
        self._resting = None
        if self._newest is not None and self._newest[0] != number:
            self._make(camera)

    def _fail(self, camera: Camera, problem: str) -> None:
        NOT_SEPARATED.labels(camera.name).inc()
        _seldom.warning("separate", f"camera {camera.name}: no picture for {self._identity}: {problem}")

    def _fall_silent(self) -> None:
        self._newest, self._chunk = None, b""
        self._waiting.clear()

    def _put_up(self, camera: Camera, jpeg: bytes) -> None:
        SOCKET_SKIPPED.labels(camera.name).inc(len(self._waiting))
        self._chunk = binary_message(jpeg)
        self._waiting.update(self.clients)
        self._send(tuple(self._waiting))

    def _catch_up(self, client: StreamClient) -> None:
        if client in self._waiting:
            self._send((client,))

    def _send(self, clients: Iterable[StreamClient]) -> None:
        camera, now = self._camera, time.monotonic()
        if camera is None:
            return
        for client in clients:
            if not self.clients[client].may_see(camera.name):
                self._waiting.discard(client)
            elif client.take(self._chunk, now):
                self._waiting.discard(client)
                SOCKET_SENT.labels(camera.name).inc()
