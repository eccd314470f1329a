"""One camera at one scale: each picture is made once, for all browsers that watch it."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from prometheus_client import Counter

from pipeline.service.logs import Seldom
from pipeline.wire.frame import Frame
from video.cameras.camera import Camera, Listed
from video.cameras.scale import ScaleError, shrink
from video.streams.metrics import NOT_SCALED, SOCKET_SENT, SOCKET_SKIPPED
from video.streams.socket import wire

log = logging.getLogger(__name__)
_seldom = Seldom(log)

_THREADS: Final = 2

_SCALED = Counter("streamlens_pictures_scaled", "Pictures made in a smaller size for WebSockets", ["scale"])

OnPicture = Callable[["Feed"], None]
"""Called when a feed has a new picture; must not block."""


class _Made(NamedTuple):
    """What a thread made of a frame: the chunk, or the reason why there is none."""

    number: int
    chunk: bytes | None
    problem: str


class Feed:
    """Listens to one camera. `chunk` is the newest picture as it is sent, of frame `number` (0: none yet)."""

    def __init__(self, camera: Camera, scale: int, pool: ThreadPoolExecutor) -> None:
        self.camera = camera
        self.scale = scale
        self.id = camera.id
        self.number = 0
        self.chunk = b""
        self.sent = SOCKET_SENT.labels(camera.name)
        self.skipped = SOCKET_SKIPPED.labels(camera.name)
        self.watchers: set[OnPicture] = set()
        self._pool = pool
        self._newest = (camera.number, camera.frame)
        self._making: asyncio.Future[_Made] | None = None
        self._closed = False
        self.frame(camera)

    def frame(self, camera: Camera) -> None:
        """Take a new frame; it replaces one that is still waiting for a thread."""
        self._newest = (camera.number, camera.frame)
        if self.scale == 1:
            frame = camera.frame
            self._put_up(camera.number, self._chunk(*self._newest, frame.jpeg, frame.width, frame.height))
        elif self._making is None:
            self._make()

    def changed(self, camera: Listed) -> None:
        """Do nothing: browsers learn about states from the roster."""

    def gone(self, name: str) -> None:  # noqa: ARG002
        """Make no more pictures."""
        self.close()

    def close(self) -> None:
        """Make no more pictures."""
        self._closed = True
        self.watchers.clear()
        if self._making is not None:
            self._making.cancel()

    def _make(self) -> None:
        self._making = asyncio.get_running_loop().run_in_executor(self._pool, self._shrink_newest)
        self._making.add_done_callback(self._made)

    def _shrink_newest(self) -> _Made:
        # Runs in a thread, and picks the newest frame only now.
        number, frame = self._newest
        try:
            smaller = shrink(frame.jpeg, self.scale)
        except ScaleError as error:
            return _Made(number, None, f"camera {frame.camera}: frame {frame.seq}: {error}")
        return _Made(number, self._chunk(number, frame, *smaller), "")

    def _made(self, making: asyncio.Future[_Made]) -> None:
        self._making = None
        if self._closed or making.cancelled():
            return
        made = making.result()
        if self._newest[0] != made.number:
            self._make()
        if made.chunk is None:
            NOT_SCALED.labels(self.camera.name).inc()
            _seldom.warning("scale", made.problem)
        else:
            _SCALED.labels(self.scale).inc()
            self._put_up(made.number, made.chunk)

    def _put_up(self, number: int, chunk: bytes) -> None:
        self.number, self.chunk = number, chunk
        for on_picture in self.watchers:
            on_picture(self)

    def _chunk(self, number: int, frame: Frame, jpeg: bytes, width: int, height: int) -> bytes:
        return wire.picture(
            jpeg,
            scale=self.scale,
            camera=self.id,
            number=number,
            seq=frame.seq,
            captured=frame.captured,
            width=width,
            height=height,
        )


class Feeds:
    """The feeds that somebody watches."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, "scale")
        self._feeds: dict[tuple[Camera, int], Feed] = {}

    def watch(self, camera: Camera, scale: int, on_picture: OnPicture) -> Feed:
        """Call `on_picture` for each new picture of a camera at a scale, beginning with the next one."""
        feed = self._feeds.get((camera, scale))
        if feed is None:
            feed = self._feeds[camera, scale] = Feed(camera, scale, self._pool)
            camera.subscribe(feed)
        feed.watchers.add(on_picture)
        return feed

    def unwatch(self, feed: Feed, on_picture: OnPicture) -> None:
        """Stop calling it; a feed without watchers is closed."""
        feed.watchers.discard(on_picture)
        if not feed.watchers and self._feeds.pop((feed.camera, feed.scale), None) is not None:
            feed.camera.unsubscribe(feed)
            feed.close()
