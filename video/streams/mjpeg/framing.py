"""The framing of MJPEG over HTTP (multipart/x-mixed-replace)."""

from collections.abc import Mapping
from typing import Final

from pipeline.access.headers import HEADERS as SECURITY
from pipeline.wire.frame import Frame

_BOUNDARY: Final = b"frame"

FIRST: Final = b"--%b\r\n" % _BOUNDARY
"""The beginning of a stream: the boundary before its first part."""

PROBE: Final = b"X-Wait: 1\r\n"
"""A header that can be sent ahead of a part, several times if need be.

A client's kernel reports that the client has read something only when it acknowledges something else. Of a
client that has too much unread, nothing would be heard without this line, and it would miss frames.
"""

HEADERS: Final = {
    "Content-Type": f"multipart/x-mixed-replace; boundary={_BOUNDARY.decode()}",
    "Cache-Control": "no-store, no-cache, must-revalidate",
    "Connection": "close",
    "X-Accel-Buffering": "no",
    **{name.decode(): value.decode() for name, value in SECURITY.items()},
}
"""The headers of a stream, which bypasses the SecurityHeaders middleware: its headers are repeated here."""


def head(more: Mapping[str, str]) -> bytes:
    """Return the response up to its first part, with more headers.

    It has neither a length nor chunks and ends with the connection, which even old players understand.
    """
    given = {name.lower() for name in more}
    kept = {name: value for name, value in HEADERS.items() if name.lower() not in given}
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**kept, **more}.items())
    return f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode() + FIRST


def part(frame: Frame) -> bytes:
    """Return a frame as a part of the stream, including the boundary that ends it.

    Chromium shows a part only when it has seen the boundary after it, see https://crbug.com/527446: sending
    the boundary with the next part would delay each picture by one frame.
    """
    head = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\nX-Seq: %d\r\nX-Captured: %d\r\n\r\n"
    numbers = (len(frame.jpeg), frame.seq, frame.captured)
    return b"".join((head % numbers, frame.jpeg, b"\r\n--", _BOUNDARY, b"\r\n"))
