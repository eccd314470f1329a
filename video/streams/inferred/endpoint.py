"""The endpoint `/NAME:MODEL:inferred`: a WebSocket that sends a stream's pictures, each as one JPEG."""

from typing import Any, Final

from starlette.types import Receive, Scope, Send

from pipeline.access.rootpath import root_of
from pipeline.access.visitor import visitor_of
from pipeline.http.connection import CONNECTION, Connection
from video.cameras.cameras import Cameras
from video.streams.clients import SOCKETS, Clients, TooManyError
from video.streams.inferred.identity import Identity
from video.streams.inferred.streams import InferredStreams
from video.streams.refusal import refuse

PATH: Final = "/{camera:path}:{model:path}:inferred"
"""The path of a request that is not a WebSocket, decoded; an id is read from the path that was sent."""


class Inferred:
    """The ASGI application of these addresses; a path that is not an id is refused.

    A socket is silent while there is no such stream, or its camera may not be seen: a visitor cannot tell
    which. What the client sends is ignored.
    """

    def __init__(self, cameras: Cameras, clients: Clients) -> None:
        self._streams = InferredStreams(cameras)
        self._clients = clients

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one client until it leaves."""
        await receive()  # "websocket.connect"
        try:
            identity = Identity.read(_sent_path(scope))
        except ValueError as error:
            await refuse(send, 404, str(error))
            return
        connection: Connection = scope[CONNECTION]
        visitor = visitor_of(scope)
        try:
            with self._clients.join(connection, visitor.welcome), SOCKETS.track_inprogress():
                await send({"type": "websocket.accept"})
                connection.on_text = _ignore
                with self._streams.join(identity, connection, visitor):
                    while (await receive())["type"] != "websocket.disconnect":
                        pass
        except TooManyError as error:
            await refuse(send, 503, str(error))


def _sent_path(scope: Any) -> str:
    """Return the path below the root path, as it was sent, without its first slash."""
    path = bytes(scope["raw_path"]).decode("ascii", "replace")
    return path.removeprefix(root_of(scope)).removeprefix("/")


def _ignore(_: bytes) -> bool:
    return True
