"""The REST API as an ASGI application."""

import asyncio
import json
import logging
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from tfserving.server import route
from tfserving.server.errors import Code, ServingError, invalid

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

UNPACKED_LIMIT = 100 << 20  # bytes of a gzipped body
CORS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, GET"),
    (b"access-control-allow-headers", b"Content-Type"),
]
NOT_FOUND = b"<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes = b""
    content_type: bytes | None = b"application/json"


class RestApi:
    """Answers requests below `/v1/`; all is computed in the executor's threads, never in the loop's."""

    def __init__(
        self,
        compute: Callable[[route.Route, bytes], bytes],
        executor: Executor,
        *,
        timeout: float = 30.0,
        cors: bool = False,
    ) -> None:
        """Take `compute`, which returns the JSON text for a route and a body, or raises ServingError."""
        self._compute = compute
        self._executor = executor
        self._timeout = timeout
        self._cors = cors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        path = scope["raw_path"].decode("latin-1")
        if scope["query_string"]:
            path += "?" + scope["query_string"].decode("latin-1")
        if not path.lower().startswith(route.PREFIX):
            await _send(send, Answer(404, NOT_FOUND, b"text/html"), [])
            return
        body = await _read(receive)
        if body is not None:
            answer = await self._answer(scope["method"], path, dict(scope["headers"]), body)
            await _send(send, answer, CORS if self._cors else [])

    async def _answer(self, method: str, path: str, headers: dict[bytes, bytes], body: bytes) -> Answer:
        if method == "OPTIONS":
            origin = headers.get(b"origin", b"")
            return Answer(200 if b"http://" in origin or b"https://" in origin else 400, b"", None)
        try:
            where = route.match(method, path)
            packed = b"gzip" in headers.get(b"content-encoding", b"")
            return Answer(200, await self._run(where, body, packed))
        except route.VersionError:
            return Answer(400)
        except ServingError as failure:
            return Answer(failure.code.http_status, error_text(failure.message))

    async def _run(self, where: route.Route, body: bytes, packed: bool) -> bytes:
        loop = asyncio.get_running_loop()
        run = loop.run_in_executor(self._executor, self._guarded, where, body, packed)
        try:
            async with asyncio.timeout(self._timeout):
                return await run
        except TimeoutError:
            raise ServingError(
                Code.DEADLINE_EXCEEDED, f"Timeout of {self._timeout * 1000:.0f} ms exceeded"
            ) from None

    def _guarded(self, where: route.Route, body: bytes, packed: bool) -> bytes:
        try:
            return self._compute(where, _unpack(body) if packed else body)
        except ServingError:
            raise
        except Exception as error:
            # A fault of this server, not of the request: told in the log, and in no traceback to the client.
            log.exception("%s of %s failed", where.verb, where.name)
            raise ServingError(Code.INTERNAL, f"Internal error: {type(error).__name__}") from error


def _unpack(body: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        text = unpacker.decompress(body, UNPACKED_LIMIT)
    except zlib.error as error:
        raise invalid(f"Failed to uncompress the request body: {error}") from error
    if not unpacker.eof:
        raise invalid("Failed to uncompress the request body: it is cut off or too large")
    return text


def error_text(message: str) -> bytes:
    """Return the JSON text of a failure."""
    return json.dumps({"error": message}, ensure_ascii=False).encode("utf-8", "replace")


async def _read(receive: Receive) -> bytes | None:
    """Return the whole body; None where the client went away."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _send(send: Send, answer: Answer, headers: list[tuple[bytes, bytes]]) -> None:
    length = (b"content-length", b"%d" % len(answer.body))
    kind = [(b"content-type", answer.content_type)] if answer.content_type else []
    await send({"type": "http.response.start", "status": answer.status, "headers": [length, *kind, *headers]})
    await send({"type": "http.response.body", "body": answer.body})
