"""The REST API as an ASGI application."""

import asyncio
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from functools import partial
from http import HTTPStatus
from typing import Any

from tfserving.server import refusals
from tfserving.server.errors import Code, ServingError
from tfserving.server.held import TOO_MANY, Held
from tfserving.server.monitoring.monitoring import Monitor
from tfserving.server.rest import asgi, route
from tfserving.server.rest.arrivals import Arrivals
from tfserving.server.rest.asgi import Answer, Receive, Scope, Send

log = logging.getLogger(__name__)

CORS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, GET"),
    (b"access-control-allow-headers", b"Content-Type"),
]
# Of requests whose body is not read to its end; TensorFlow Serving reads any.
_REFUSALS = {
    Code.RESOURCE_EXHAUSTED: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Code.DEADLINE_EXCEEDED: HTTPStatus.REQUEST_TIMEOUT,
}
NOT_FOUND = b"<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>"


class RestApi:
    """Answers requests below `/v1/`. All work runs in the executor's threads, never in the event loop's."""

    def __init__(
        self,
        compute: Callable[[route.Route, bytes], bytes],
        executor: Executor,
        *,
        timeout: float = 30.0,
        cors: bool = False,
        monitor: Monitor | None = None,
        metrics_path: str | None = None,
    ) -> None:
        """Take `compute`, which returns the JSON text for a route and a body, or raises ServingError.

        The timeout is in seconds. If `metrics_path` is given, it serves the monitor's metrics.
        """
        self._compute = compute
        self._timeout = timeout
        self._held = Held(executor)
        self._arrivals = Arrivals(timeout, self._held)
        self._cors = cors
        self._monitor = monitor or Monitor()
        self._metrics_path = metrics_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        target = asgi.target(scope)
        path = re.split("[?#]", target)[0]
        if path == self._metrics_path:
            await asgi.send_answer(send, self._metrics(target), [])
        elif target.lower().startswith(route.PREFIX):
            await self._rest(scope, target, receive, send)
        else:
            await asgi.send_answer(send, Answer(Code.NOT_FOUND, NOT_FOUND, b"text/html"), [])

    def _metrics(self, target: str) -> Answer:
        if target != self._metrics_path:
            text = f"Unexpected path: {target}. Should be {self._metrics_path}"
            return Answer(Code.INVALID_ARGUMENT, text.encode("utf-8", "replace"), b"text/plain")
        return Answer(Code.OK, self._monitor.text(), b"text/plain")

    async def _rest(self, scope: Scope, target: str, receive: Receive, send: Send) -> None:
        method = scope["method"]
        # If a header is repeated, the first one counts.
        headers = dict(reversed(scope["headers"]))
        declared = int(headers.get(b"content-length", b"0"))
        try:
            body = await self._arrivals.read(declared, receive, asgi.client(scope))
        except asyncio.CancelledError:
            # Stop waiting for the rest of the body.
            ending = Answer(Code.UNAVAILABLE, error_text("The server is shutting down"))
            await asgi.send_answer(send, ending, CORS if self._cors else [])
            return
        except ServingError as failure:
            self._monitor.answered(route.model_name(method, target), "", "REST", failure.code, 0)
            refusals.log("REST", failure.code, failure.message)
            refusal = Answer(
                failure.code, error_text(failure.message), own_status=_REFUSALS.get(failure.code)
            )
            await asgi.refuse(send, receive, refusal, CORS if self._cors else [])
            return
        if body is None:
            return
        started = time.monotonic()
        where, answer = await self._outcome(scope, target, headers, body, receive)
        del body
        await asgi.send_answer(send, answer, CORS if self._cors else [])
        name = where.name if where else route.model_name(method, target)
        api = where.verb if where and method == "POST" else ""
        self._monitor.answered(name, api, "REST", answer.code, time.monotonic() - started)

    async def _outcome(
        self, scope: Scope, target: str, headers: Mapping[bytes, bytes], body: bytes, receive: Receive
    ) -> tuple[route.Route | None, Answer]:
        method = scope["method"]
        if method == "OPTIONS":
            return None, _preflight(headers.get(b"origin", b""))
        packed = method == "POST" and b"gzip" in headers.get(b"content-encoding", b"")
        return await self._answer(scope, target, body, packed, receive)

    async def _answer(
        self, scope: Scope, target: str, body: bytes, packed: bool, receive: Receive
    ) -> tuple[route.Route | None, Answer]:
        where = None
        try:
            where = route.match(scope["method"], target)
            work = partial(self._guarded, where, packed)
            return where, Answer(Code.OK, await self._run(work, body, asgi.client(scope), receive))
        except route.VersionError:
            return None, Answer(Code.INVALID_ARGUMENT)
        except ServingError as failure:
            refusals.log("REST", failure.code, failure.message)
            return where, Answer(failure.code, error_text(failure.message))

    async def _run(self, work: Callable[[bytes], bytes], body: bytes, client: str, receive: Receive) -> bytes:
        run = self._held.submit(work, body, client)
        del body
        answered = asyncio.wrap_future(run)
        answered.add_done_callback(_read)
        gone = asyncio.ensure_future(receive())
        both: set[asyncio.Future[Any]] = {answered, gone}
        try:
            done, _ = await asyncio.wait(both, timeout=self._timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            run.cancel()  # if it has not started, it must not start any more
        try:
            if answered in done:
                if answered.cancelled():
                    raise ServingError(Code.UNAVAILABLE, TOO_MANY)
                return answered.result()
            if gone in done:
                raise ServingError(Code.CANCELLED, "The client has disconnected")
            raise ServingError(Code.DEADLINE_EXCEEDED, f"Timeout of {self._timeout * 1000:.0f} ms exceeded")
        finally:
            # An error refers to this call. If the call referred to it, Python would keep both, with the body.
            del run, answered, both, done

    def _guarded(self, where: route.Route, packed: bool, body: bytes) -> bytes:
        try:
            return self._compute(where, asgi.unpack(body) if packed and body else body)
        except ServingError:
            raise
        except Exception as error:
            # A bug in this server: the traceback goes to the log, not to the client.
            log.exception("%s of %s failed", where.verb, where.name)
            raise ServingError(Code.INTERNAL, f"Internal error: {type(error).__name__}") from error


def _read(answered: "asyncio.Future[bytes]") -> None:
    """Look at the outcome, which nobody may wait for any more: asyncio would report it as an error."""
    if not answered.cancelled():
        answered.exception()


def _preflight(origin: bytes) -> Answer:
    known = b"http://" in origin or b"https://" in origin
    return Answer(Code.OK if known else Code.FAILED_PRECONDITION, b"", None)


def error_text(message: str) -> bytes:
    """Return the JSON text of an error."""
    return json.dumps({"error": message}, ensure_ascii=False).encode("utf-8", "replace")
