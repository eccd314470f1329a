"""MJPEG over HTTP (multipart/x-mixed-replace): the framing, and one client's stream."""

import time
from collections.abc import Callable
from typing import Final

from prometheus_client import Counter, Gauge
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from pipeline.frame import Frame
from pipeline.pace import Pace
from video.access.headers import HEADERS as SECURITY
from video.access.visitor import visitor_of
from video.channel import Channel
from video.clients import Clients, TooManyError
from video.connection import CONNECTION, Connection

_BOUNDARY: Final = b"frame"

FIRST: Final = b"--%b\r\n" % _BOUNDARY
"""What a stream begins with: the boundary before its first part."""

HEADERS: Final = {
    "Content-Type": f"multipart/x-mixed-replace; boundary={_BOUNDARY.decode()}",
    "Cache-Control": "no-store, no-cache, must-revalidate",
    "Connection": "close",
    "X-Accel-Buffering": "no",
    **{name.decode(): value.decode() for name, value in SECURITY.items()},
}
"""The headers of a stream; it goes past what adds the last of them to all other answers."""

# Without a length and without chunks: it ends with the connection, as players of any age take it.
_HEAD: Final = "HTTP/1.1 200 OK\r\n" + "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())

_CLIENTS = Gauge("streamlens_stream_clients", "Clients that watch a camera's MJPEG", ["camera"])
_SENT = Counter("streamlens_stream_frames_sent", "Frames written to MJPEG clients", ["camera"])

# A window says nothing new until something is sent; after so many seconds a frame goes out all the same.
_PATIENCE: Final = 0.5


def part(frame: Frame) -> bytes:
    """Return a frame as a part of the stream, with the boundary that ends it.

    Browsers show a part when they have seen its end: a boundary sent only with the next part would hold
    each picture back for one frame.
    """
    head = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\nX-Seq: %d\r\nX-Captured: %d\r\n\r\n"
    numbers = (len(frame.jpeg), frame.seq, frame.captured)
    return b"".join((head % numbers, frame.jpeg, b"\r\n--", _BOUNDARY, b"\r\n"))


def newest_part(channel: Channel) -> bytes:
    """Return a channel's newest frame as a part."""
    return part(channel.frame)


class Viewer:
    """One client of one camera; it lives on the event loop, and never waits.

    `interval` is the least time between two frames in s. A client that reads slowly misses frames: the next
    one it gets is always the newest, and no frame is sent while it has more than one still to read.
    """

    def __init__(self, connection: Connection, channel: Channel, interval: float) -> None:
        self._connection = connection
        self._channel = channel
        self._pace = Pace(interval)
        self._sent = _SENT.labels(channel.frame.camera)
        self._number = 0  # of the frame sent last
        self._last = 0.0
        connection.on_room = self._catch_up

    def show(self, channel: Channel) -> None:
        """Send the newest frame, if there is room for it and it is due."""
        connection = self._connection
        if connection.full:
            return
        chunk, now = channel.once(newest_part), time.monotonic()
        if now - self._last < _PATIENCE and connection.unread() > len(chunk):
            return
        if self._pace.due(now):
            self._number, self._last = channel.number, now
            connection.write(chunk)
            self._sent.inc()

    def replace(self, chunk: bytes) -> None:
        """Send a part that stands for the camera's frame while none comes."""
        if not self._connection.full:
            self._connection.write(chunk)

    def close(self) -> None:
        """End the stream."""
        self._connection.close()

    def _catch_up(self) -> None:
        if self._channel.number != self._number:
            self.show(self._channel)


class Stream:
    """An ASGI response that sends a channel's newest frames for as long as the client listens.

    `joined` is called with the channel when the client has joined it.
    """

    def __init__(
        self, channel: Channel, interval: float, clients: Clients, joined: Callable[[Channel], None]
    ) -> None:
        self._channel = channel
        self._interval = interval
        self._clients = clients
        self._joined = joined

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send frames until the client goes or the channel closes."""
        if scope["method"] == "HEAD":
            await _send_head(send)
            return
        connection: Connection = scope[CONNECTION]
        visitor, camera = visitor_of(scope), self._channel.frame.camera
        try:
            with self._clients.join(connection, lambda: visitor.welcome() and visitor.may_see(camera)):
                await self._stream(connection)
        except TooManyError as error:
            answer = PlainTextResponse(f"{error}\n", status_code=503, headers={"Retry-After": "5"})
            await answer(scope, receive, send)

    async def _stream(self, connection: Connection) -> None:
        channel = self._channel
        viewer = Viewer(connection, channel, self._interval)
        connection.streaming = True
        connection.write(f"{_HEAD}\r\n".encode() + FIRST)
        viewer.show(channel)
        channel.watch(viewer)
        self._joined(channel)
        with _CLIENTS.labels(channel.frame.camera).track_inprogress():
            try:
                await connection.gone.wait()
            finally:
                channel.unwatch(viewer)
                connection.close()


async def _send_head(send: Send) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body"})
