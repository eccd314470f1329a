"""The endpoint `/ws`: opening a WebSocket, reading the browser's messages, closing it."""

import logging
from functools import partial
from typing import Final

from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from pipeline.access import origin
from pipeline.access.embedding import parse_origin
from pipeline.access.visitor import visitor_of
from pipeline.http.connection import CONNECTION, Connection
from pipeline.service.logs import Seldom
from video.cameras.cameras import Cameras
from video.streams.clients import SOCKETS, Clients, TooManyError
from video.streams.refusal import refuse
from video.streams.socket import wire
from video.streams.socket.feed import Feeds
from video.streams.socket.roster import Roster
from video.streams.socket.viewer import Viewer

log = logging.getLogger(__name__)

_BAD = Counter("streamlens_bad_socket_messages", "Browsers' messages that closed their WebSocket", ["code"])
_RETRY_AFTER: Final = "5"  # s
_NO_UPGRADE: Final = (
    "expected a WebSocket: a proxy in between must pass on the headers Upgrade and Connection (nginx:"
    " proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection;)"
)


class Socket:
    """The ASGI application of `/ws`.

    Pictures and texts go straight to the scope's `Connection`; the handshake and the end go through ASGI.
    """

    def __init__(self, cameras: Cameras, clients: Clients) -> None:
        self._cameras = cameras
        self._clients = clients
        self._feeds = Feeds()
        self._roster = Roster(cameras)
        self._seldom = Seldom(log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one browser until it leaves or breaks the protocol."""
        await receive()  # "websocket.connect"
        try:
            with (
                self._clients.join(scope[CONNECTION], visitor_of(scope).welcome),
                SOCKETS.track_inprogress(),
            ):
                await send({"type": "websocket.accept"})
                await self._serve(scope, receive, send)
        except TooManyError as error:
            await refuse(send, 503, str(error))

    async def explain(self, request: Request) -> Response:
        """Answer a request that is not a handshake: our page asks why its socket does not open."""
        if "sec-websocket-key" in request.headers:
            self._seldom.warning("upgrade", _NO_UPGRADE)
        try:
            with self._clients.join(request.scope[CONNECTION], visitor_of(request.scope).welcome):
                return PlainTextResponse(f"{_reason(request)}\n", 426, {"Upgrade": "websocket"})
        except TooManyError as error:
            return PlainTextResponse(f"{error}\n", 503, {"Retry-After": _RETRY_AFTER})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection: Connection = scope[CONNECTION]
        viewer = Viewer(connection, visitor_of(scope), self._cameras, self._feeds)
        try:
            with self._roster.join(viewer):
                connection.on_text = partial(_handle, viewer)
                while (message := await receive())["type"] != "websocket.disconnect":
                    viewer.take(_parsed(message))
        except wire.MessageError as error:
            _BAD.labels(error.code).inc()
            await send({"type": "websocket.close", "code": error.code, "reason": str(error)})


def _handle(viewer: Viewer, text: bytes) -> bool:
    """Handle a message immediately.

    If it is invalid, return False: it then reaches `receive`, and `_serve` closes the socket.
    """
    try:
        viewer.take(wire.parse(text.decode()))
    except ValueError:
        return False
    return True


def _parsed(message: Message) -> wire.Watch | wire.Ack | wire.Time:
    text = message.get("text")
    if text is None:
        raise wire.MessageError(wire.WRONG_FORM, "expected a text message, found a binary one")
    return wire.parse(text)


def _reason(request: Request) -> str:
    headers = request.scope["headers"]
    page = parse_origin(origin.header(headers, b"referer"))
    if page and not origin.is_at(page, origin.header(headers, b"host")):
        return origin.explain_host(page, headers, request.scope["client"])
    return _NO_UPGRADE
