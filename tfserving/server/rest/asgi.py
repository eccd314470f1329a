"""ASGI helpers for the REST API: read a request's target and body, and send an answer."""

import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from tfserving.server.errors import Code, invalid

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

UNPACKED_LIMIT = 100 << 20  # bytes of a gzipped body


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; the code determines its status."""

    code: Code
    body: bytes = b""
    content_type: bytes | None = b"application/json"


def target(scope: Scope) -> str:
    """Return the path, still percent-encoded, with the query and the fragment."""
    raw = scope.get("state", {}).get("target")
    if raw is None:
        query = scope["query_string"]
        raw = scope["raw_path"] + (b"?" + query if query else b"")
    return str(raw, "utf-8", "replace")


async def read_body(receive: Receive) -> bytes | None:
    """Return the complete body, or None if the client disconnected."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def unpack(body: bytes) -> bytes:
    """Return a gzipped body unpacked; raise ServingError (INVALID_ARGUMENT) if it is damaged or too large."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        text = unpacker.decompress(body, UNPACKED_LIMIT + 1)
    except zlib.error as error:
        raise invalid(f"Failed to uncompress the request body: {error}") from error
    if not unpacker.eof or len(text) > UNPACKED_LIMIT:
        raise invalid("Failed to uncompress the request body: it is truncated or too large")
    return text


async def send_answer(send: Send, answer: Answer, headers: list[tuple[bytes, bytes]]) -> None:
    """Send an answer with additional headers."""
    length = (b"content-length", b"%d" % len(answer.body))
    kind = [(b"content-type", answer.content_type)] if answer.content_type else []
    status = answer.code.http_status
    await send({"type": "http.response.start", "status": status, "headers": [length, *kind, *headers]})
    await send({"type": "http.response.body", "body": answer.body})
