"""One camera in one size: made once a frame, for all browsers that watch it."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from prometheus_client import Counter

from pipeline.service.logs import Seldom
from pipeline.wire.frame import Frame
from video.cameras.camera import Camera
from video.streams.socket import wire
from video.streams.socket.scale import ScaleError, shrink

log = logging.getLogger(__name__)
_seldom = Seldom(log)

_THREADS: Final = 2

_SCALED = Counter("streamlens_pictures_scaled", "Pictures made in a smaller size for sockets", ["scale"])
_UNSCALED = Counter("streamlens_pictures_not_scaled", "Pictures that could not be decoded for it", ["camera"])
_SENT = Counter("streamlens_socket_pictures_sent", "Pictures written to sockets", ["camera"])
_SKIPPED = Counter(
    "streamlens_socket_pictures_skipped",
    "Pictures that a newer one replaced before a socket took it",
    ["camera"],
)

Listener = Callable[["Feed"], None]
"""Is called when a new picture is up; may not wait."""


class Feed:
    """On the event loop: `chunk` is the newest picture as it goes out, of frame `number` (0: none yet)."""

    def __init__(self, camera: Camera, scale: int, pool: ThreadPoolExecutor) -> None:
        self.camera = camera
        self.scale = scale
        self.id = camera.id
        self.number = 0
        self.chunk = b""
        self.sent = _SENT.labels(camera.name)
        self.skipped = _SKIPPED.labels(camera.name)
        self.listeners: set[Listener] = set()
        self._pool = pool
        self._newest = (camera.number, camera.frame)
        self._making: asyncio.Future[tuple[int, bytes | None]] | None = None
        self.show(camera)

    def show(self, camera: Camera) -> None:
        """Take a new frame; one that still waits for a thread gives way to it."""
        self._newest = (camera.number, camera.frame)
        if self.scale == 1:
            frame = camera.frame
            self._put_up(camera.number, self._chunk(*self._newest, frame.jpeg, frame.width, frame.height))
        elif self._making is None:
            self._make()

    def close(self) -> None:
        """Make no more pictures."""
        self.listeners.clear()
        if self._making is not None:
            self._making.cancel()

    def _make(self) -> None:
        self._making = asyncio.get_running_loop().run_in_executor(self._pool, self._shrink_newest)
        self._making.add_done_callback(self._made)

    def _shrink_newest(self) -> tuple[int, bytes | None]:
        # Runs in a thread, and only now takes what is newest.
        number, frame = self._newest
        try:
            made = shrink(frame.jpeg, self.scale)
        except ScaleError as error:
            _UNSCALED.labels(frame.camera).inc()
            _seldom.warning("scale", f"camera {frame.camera}: frame {frame.seq}: {error}")
            return number, None
        _SCALED.labels(self.scale).inc()
        return number, self._chunk(number, frame, *made)

    def _made(self, making: asyncio.Future[tuple[int, bytes | None]]) -> None:
        self._making = None
        if making.cancelled():
            return
        number, chunk = making.result()
        if self._newest[0] != number:
            self._make()
        if chunk is not None:
            self._put_up(number, chunk)

    def _put_up(self, number: int, chunk: bytes) -> None:
        self.number, self.chunk = number, chunk
        for listener in self.listeners:
            listener(self)

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
    """The feeds that somebody watches now."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, "scale")
        self._feeds: dict[tuple[Camera, int], Feed] = {}

    def watch(self, camera: Camera, scale: int, listener: Listener) -> Feed:
        """Call `listener` for each new picture of a camera in a size, from the next one on."""
        feed = self._feeds.get((camera, scale))
        if feed is None:
            feed = self._feeds[camera, scale] = Feed(camera, scale, self._pool)
            camera.watch(feed)
        feed.listeners.add(listener)
        return feed

    def unwatch(self, feed: Feed, listener: Listener) -> None:
        """Call it no more; a feed that nobody watches any more is not made."""
        feed.listeners.discard(listener)
        if not feed.listeners and self._feeds.pop((feed.camera, feed.scale), None) is not None:
            feed.camera.unwatch(feed)
            feed.close()
