"""MJPEG over HTTP (multipart/x-mixed-replace): the framing, and one client's stream."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from prometheus_client import Counter, Gauge
from starlette.types import Receive, Scope, Send

from pipeline.frame import Frame
from pipeline.pace import Pace
from video.channel import Channel
from video.protocol import UNREAD

_BOUNDARY: Final = b"frame"

FIRST: Final = b"--%b\r\n" % _BOUNDARY
"""What a stream begins with: the boundary before its first part."""

HEADERS: Final = {
    "Content-Type": f"multipart/x-mixed-replace; boundary={_BOUNDARY.decode()}",
    "Cache-Control": "no-store, no-cache, must-revalidate",
    "X-Content-Type-Options": "nosniff",
}

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


class Stream:
    """An ASGI response that sends a channel's newest frames for as long as the client listens.

    `interval` is the least time between two frames in s. A client that reads slowly misses frames: the next
    one it gets is always the newest, and no frame is sent while it has more than one still to read.
    """

    def __init__(self, channel: Channel, interval: float) -> None:
        self._channel = channel
        self._pace = Pace(interval)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send frames until the client goes or the channel closes."""
        headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["method"] != "HEAD":
            sending = asyncio.ensure_future(self._send_frames(send, scope.get(UNREAD, _nothing)))
            leaving = asyncio.ensure_future(until_gone(receive))
            try:
                await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            finally:
                sending.cancel()
                leaving.cancel()
                await asyncio.wait((sending, leaving))
            if not sending.cancelled():
                sending.result()
        await send({"type": "http.response.body"})

    async def _send_frames(self, send: Send, unread: Callable[[], int]) -> None:
        camera = self._channel.frame.camera
        sent = _SENT.labels(camera)
        await send({"type": "http.response.body", "body": FIRST, "more_body": True})
        with _CLIENTS.labels(camera).track_inprogress():
            number, last = 0, 0.0
            while number := await self._channel.next(number):
                chunk, now = self._channel.part, time.monotonic()
                if now - last < _PATIENCE and unread() > 1.5 * len(chunk):
                    continue
                if self._pace.due(now):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                    sent.inc()
                    # uvicorn waits for room before it writes, not after. Waiting here, with nothing to write,
                    # leaves the choice of the next frame until there is room for it.
                    await send({"type": "http.response.body", "body": b"", "more_body": True})
                    last = now


def _nothing() -> int:
    return 0


async def until_gone(receive: Receive) -> None:
    """Return when the client has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
