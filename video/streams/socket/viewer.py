"""One browser: what it wants, and which picture it gets next."""

import json
import time
from collections.abc import Iterable

from video.access.visitor import Visitor
from video.cameras.cameras import Cameras
from video.streams.connection import Connection
from video.streams.socket import wire
from video.streams.socket.feed import Feed, Feeds
from video.streams.socket.scale import scale_for
from video.streams.socket.window import Window


class Viewer:
    """Lives on the event loop. No picture waits for this browser: of each camera it gets the newest or none.

    A camera whose picture could not go out yet keeps its turn, and shows the newest when that comes.
    """

    def __init__(self, connection: Connection, visitor: Visitor, cameras: Cameras, feeds: Feeds) -> None:
        self.connection = connection
        self.visitor = visitor
        self.visible: tuple[str, ...] = ()
        self._cameras = cameras
        self._all_feeds = feeds
        self._wanted: dict[str, int] = {}
        self._feeds: dict[str, Feed] = {}
        self._news: dict[int, Feed] = {}  # by the cameras' ids, in the order of their turns
        self._numbers: dict[int, int] = {}  # of the pictures last sent
        self._window = Window()
        self._text: bytes | None = None
        self._echo: float | None = None
        connection.on_room = self._push

    def take(self, message: wire.Watch | wire.Ack | wire.Time) -> None:
        """Do as the browser says."""
        match message:
            case wire.Ack(camera, number):
                self._window.acked(camera, number, time.monotonic())
            case wire.Watch(cameras):
                self._wanted = cameras
                self._follow()
            case wire.Time(echo):
                self._echo = echo
        self._push()

    def allow(self, visible: Iterable[str]) -> None:
        """Note which cameras there are that the visitor may see."""
        self.visible = tuple(visible)
        self._follow()
        self._push()

    def tell(self, text: bytes) -> None:
        """Send a text message as soon as there is room; a later one takes its place."""
        self._text = text
        self._push()

    def expired(self, now: float) -> bool:
        """Tell whether the browser has not answered for so long that it must be gone; `now` is monotonic."""
        return self._window.expired(now)

    def close(self) -> None:
        """Send nothing more."""
        self._wanted, self._text, self._echo = {}, None, None
        self._follow()

    def _follow(self) -> None:
        """Watch what is wanted and allowed, in the size that the cameras' frames call for."""
        wanted = {}
        for name in self.visible:
            camera = self._cameras.get(name)
            if camera is not None and name in self._wanted:
                wanted[name] = (camera, scale_for(camera.frame.width, self._wanted[name]))
        for name, feed in list(self._feeds.items()):
            if wanted.get(name) != (feed.camera, feed.scale):
                self._all_feeds.unwatch(self._feeds.pop(name), self._show)
                self._news.pop(feed.id, None)
        for name, (camera, scale) in wanted.items():
            if name not in self._feeds:
                feed = self._feeds[name] = self._all_feeds.watch(camera, scale, self._show)
                if feed.number:
                    self._show(feed)
        self._window.watching(len(self._feeds))

    def _show(self, feed: Feed) -> None:
        # In a new size a camera may be a frame behind what was sent in the old one.
        if feed.number < self._numbers.get(feed.id, 0):
            return
        if feed.id in self._news:
            feed.skipped.inc()
        self._news[feed.id] = feed
        self._push()

    def _push(self) -> None:
        if self.connection.full:
            return
        if self._text is not None or self._echo is not None:
            self._write_texts()
        if self._news and self._window.is_open():
            self._write_pictures(time.monotonic())

    def _write_texts(self) -> None:
        if self._text is not None:
            text, self._text = self._text, None
            self.connection.write(text)
        if self._echo is not None and not self.connection.full:
            answer = {"type": "time", "echo": self._echo, "now": round(1000 * time.time(), 1)}
            self._echo = None
            self.connection.write(wire.text(json.dumps(answer)))

    def _write_pictures(self, now: float) -> None:
        for camera, feed in list(self._news.items()):
            if self.connection.full or not self._window.is_open():
                return
            if self._window.takes(camera):
                del self._news[camera]
                self._numbers[camera] = feed.number
                self._window.sent(camera, feed.number & 0xFFFFFFFF, now)
                self.connection.write(feed.chunk)
                feed.sent.inc()
