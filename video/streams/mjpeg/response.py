"""One client's MJPEG stream as an ASGI response."""

from collections.abc import Mapping
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from pipeline.access.embedding import picture_headers
from pipeline.access.visitor import visitor_of
from pipeline.http.connection import CONNECTION, Connection
from video.cameras.camera import Camera
from video.streams.clients import Clients, TooManyError
from video.streams.mjpeg.broadcast import Broadcasts
from video.streams.mjpeg.framing import HEADERS, head

HEAD: Final = "streamlens.head"
"""The key in an ASGI scope of whether the client wants only the beginning of the answer; set by `Heads`."""


class Stream:
    """Sends a camera's newest frames for as long as the client listens.

    They bypass ASGI and go straight to the scope's `Connection`.
    """

    def __init__(self, camera: Camera, broadcasts: Broadcasts, clients: Clients) -> None:
        self._camera = camera
        self._broadcasts = broadcasts
        self._clients = clients

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send frames until the client leaves or the camera is gone."""
        more = picture_headers(scope)
        if scope.get(HEAD):
            await _send_head(send, more)
            return
        name = self._camera.name
        if self._camera.gone:  # since it was looked up
            await PlainTextResponse(f"no camera {name!r}\n", 404)(scope, receive, send)
            return
        connection: Connection = scope[CONNECTION]
        visitor = visitor_of(scope)
        try:
            with self._clients.join(connection, lambda: visitor.welcome() and visitor.may_see(name)):
                await self._stream(connection, more)
        except TooManyError as error:
            answer = PlainTextResponse(f"{error}\n", status_code=503, headers={"Retry-After": "5"})
            await answer(scope, receive, send)

    async def _stream(self, connection: Connection, more: Mapping[str, str]) -> None:
        connection.streaming = True
        connection.write(head(more))
        try:
            with self._broadcasts.join(self._camera, connection):
                await connection.gone.wait()
        finally:
            connection.close()


async def _send_head(send: Send, more: Mapping[str, str]) -> None:
    given = {name.lower(): value for name, value in {**HEADERS, **more}.items()}
    headers = [(name.encode(), value.encode()) for name, value in given.items()]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body"})
