"""ASGI helpers for the REST API: read a request's target, unpack its body, and send an answer."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pipeline.service.networks import network_of
from tfserving.server.errors import Code, invalid

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LARGEST_BODY = 32 << 20  # bytes, also after it is unpacked
IGNORE_SECONDS = 2  # of a body that is refused


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; the code determines its status, unless it has one of its own."""

    code: Code
    body: bytes = b""
    content_type: bytes | None = b"application/json"
    own_status: int | None = None

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.own_status or self.code.http_status


def target(scope: Scope) -> str:
    """Return the path, still percent-encoded, with the query and the fragment."""
    raw = scope.get("state", {}).get("target")
    if raw is None:
        query = scope["query_string"]
        raw = scope["raw_path"] + (b"?" + query if query else b"")
    return str(raw, "utf-8", "replace")


def client(scope: Scope) -> str:
    """Return the network of a client."""
    return network_of(scope["client"][0]) if scope.get("client") else ""


def unpack(body: bytes) -> bytes:
    """Return a gzipped body unpacked; raise ServingError (INVALID_ARGUMENT) if it is damaged or too large."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        text = unpacker.decompress(body, LARGEST_BODY + 1)
    except zlib.error as error:
        raise invalid(f"Failed to uncompress the request body: {error}") from error
    if not unpacker.eof or len(text) > LARGEST_BODY:
        raise invalid("Failed to uncompress the request body: it is truncated or too large")
    return text


async def send_answer(
    send: Send, answer: Answer, headers: list[tuple[bytes, bytes]], *, more: bool = False
) -> None:
    """Send an answer with additional headers; with `more`, it is not the last that is sent."""
    length = (b"content-length", b"%d" % len(answer.body))
    kind = [(b"content-type", answer.content_type)] if answer.content_type else []
    fields = [length, *kind, *headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": fields})
    await send({"type": "http.response.body", "body": answer.body, "more_body": more})


async def refuse(send: Send, receive: Receive, answer: Answer, headers: list[tuple[bytes, bytes]]) -> None:
    """Send an answer before the body has arrived, ignore the body for a moment, and close the connection.

    If the connection was closed at once, the client would often see that instead of the answer.
    """
    await send_answer(send, answer, [*headers, (b"connection", b"close")], more=True)
    with suppress(TimeoutError):
        async with asyncio.timeout(IGNORE_SECONDS):
            while (await receive()).get("more_body", False):
                pass
    await send({"type": "http.response.body"})
