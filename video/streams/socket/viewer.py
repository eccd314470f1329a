"""One browser on a WebSocket: what it asked for, and which picture it gets next."""

import json
import time
from collections.abc import Iterable

from pipeline.access.visitor import Visitor
from pipeline.http.connection import Connection
from video.cameras.cameras import Cameras
from video.cameras.scale import scale_for
from video.streams.message import text_message
from video.streams.socket import wire
from video.streams.socket.feed import Feed, Feeds
from video.streams.socket.window import Window


class Viewer:
    """Belongs to the event loop. No picture waits for this browser: it gets a camera's newest one, or none.

    A camera whose picture cannot be sent yet keeps its turn, and sends whatever is newest when that comes.
    """

    def __init__(self, connection: Connection, visitor: Visitor, cameras: Cameras, feeds: Feeds) -> None:
        self.connection = connection
        self.visitor = visitor
        self.visible: tuple[str, ...] = ()
        self._cameras = cameras
        self._all_feeds = feeds
        self._widths: dict[str, int] = {}  # of the cameras that the browser asked for
        self._feeds: dict[str, Feed] = {}
        self._ready: dict[int, Feed] = {}  # feeds with a picture to send, by camera id, in order of turns
        self._numbers: dict[int, int] = {}  # of the pictures last sent, by camera id
        self._window = Window()
        self._text: bytes | None = None
        self._echo: float | None = None
        connection.on_room = self._push

    def take(self, message: wire.Watch | wire.Ack | wire.Time) -> None:
        """Act on a browser's message."""
        match message:
            case wire.Ack(camera, number):
                self._window.acked(camera, number, time.monotonic())
            case wire.Watch(cameras):
                self._widths = cameras
                self._follow()
            case wire.Time(echo):
                self._echo = echo
        self._push()

    def allow(self, visible: Iterable[str]) -> None:
        """Set the names of all present cameras that the visitor may see."""
        self.visible = tuple(visible)
        self._follow()
        self._push()

    def send_text(self, text: bytes) -> None:
        """Send a text message as soon as there is room; a later one replaces it."""
        self._text = text
        self._push()

    def expired(self, now: float) -> bool:
        """Return whether the browser has been silent for so long that it must be gone; `now` is monotonic."""
        return self._window.expired(now)

    def close(self) -> None:
        """Send nothing more."""
        self._widths, self._text, self._echo = {}, None, None
        self._follow()

    def _follow(self) -> None:
        """Watch what is asked for and allowed, at the scale that fits the cameras' frames."""
        visible = {name: camera for name in self.visible if (camera := self._cameras.get(name))}
        watched = {
            name: (camera, scale_for(camera.frame.width, self._widths[name]))
            for name, camera in visible.items()
            if name in self._widths
        }
        for name, feed in list(self._feeds.items()):
            if watched.get(name) != (feed.camera, feed.scale):
                self._all_feeds.unwatch(self._feeds.pop(name), self._show)
                self._ready.pop(feed.id, None)
        self._forget_all_but({camera.id for camera in visible.values()})
        for name, (camera, scale) in watched.items():
            if name not in self._feeds:
                feed = self._feeds[name] = self._all_feeds.watch(camera, scale, self._show)
                if feed.number:
                    self._show(feed)
        self._window.watching(len(self._feeds))

    def _forget_all_but(self, ids: set[int]) -> None:
        for camera in self._numbers.keys() - ids:
            del self._numbers[camera]
            self._window.forget(camera)

    def _show(self, feed: Feed) -> None:
        # A new scale may be one frame behind what was already sent at the old one.
        if feed.number < self._numbers.get(feed.id, 0):
            return
        if feed.id in self._ready:
            feed.skipped.inc()
        self._ready[feed.id] = feed
        self._push()

    def _push(self) -> None:
        if self.connection.full:
            return
        if self._text is not None or self._echo is not None:
            self._write_texts()
        if self._ready and self._window.is_open():
            self._write_pictures(time.monotonic())

    def _write_texts(self) -> None:
        if self._text is not None:
            text, self._text = self._text, None
            self.connection.write(text)
        if self._echo is not None and not self.connection.full:
            answer = {"type": "time", "echo": self._echo, "now": round(1000 * time.time(), 1)}
            self._echo = None
            self.connection.write(text_message(json.dumps(answer)))

    def _write_pictures(self, now: float) -> None:
        for camera, feed in list(self._ready.items()):
            if self.connection.full or not self._window.is_open():
                return
            if self._window.takes(camera):
                del self._ready[camera]
                self._numbers[camera] = feed.number
                self._window.sent(camera, feed.number & 0xFFFFFFFF, now)
                self.connection.write(feed.chunk)
                feed.sent.inc()
