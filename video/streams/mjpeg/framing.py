"""MJPEG over HTTP (multipart/x-mixed-replace): the framing."""

from typing import Final

from pipeline.wire.frame import Frame
from video.access.headers import HEADERS as SECURITY

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

_LINES: Final = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())

HEAD: Final = f"HTTP/1.1 200 OK\r\n{_LINES}\r\n".encode() + FIRST
"""The answer up to its first part. It has no length and no chunks: it ends with the connection, as players
of any age take it.
"""


def part(frame: Frame) -> bytes:
    """Return a frame as a part of the stream, with the boundary that ends it.

    Browsers show a part when they have seen its end: a boundary sent only with the next part would hold
    each picture back for one frame.
    """
    head = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\nX-Seq: %d\r\nX-Captured: %d\r\n\r\n"
    numbers = (len(frame.jpeg), frame.seq, frame.captured)
    return b"".join((head % numbers, frame.jpeg, b"\r\n--", _BOUNDARY, b"\r\n"))
