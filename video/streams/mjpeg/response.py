"""One client's MJPEG stream as an ASGI response."""

from collections.abc import Callable

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from video.access.visitor import visitor_of
from video.cameras.camera import Camera
from video.streams.clients import Clients, TooManyError
from video.streams.connection import CONNECTION, Connection
from video.streams.mjpeg.broadcast import Broadcasts
from video.streams.mjpeg.framing import HEAD, HEADERS


class Stream:
    """Sends a camera's newest frames for as long as the client listens.

    They go past ASGI, straight to the scope's `Connection`. `joined` is called with the camera when the
    client has joined it.
    """

    def __init__(
        self, camera: Camera, broadcasts: Broadcasts, clients: Clients, joined: Callable[[Camera], None]
    ) -> None:
        self._camera = camera
        self._broadcasts = broadcasts
        self._clients = clients
        self._joined = joined

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send frames until the client goes or the camera closes."""
        if scope["method"] == "HEAD":
            await _send_head(send)
            return
        connection: Connection = scope[CONNECTION]
        visitor, name = visitor_of(scope), self._camera.name
        try:
            with self._clients.join(connection, lambda: visitor.welcome() and visitor.may_see(name)):
                await self._stream(connection)
        except TooManyError as error:
            answer = PlainTextResponse(f"{error}\n", status_code=503, headers={"Retry-After": "5"})
            await answer(scope, receive, send)

    async def _stream(self, connection: Connection) -> None:
        connection.streaming = True
        connection.write(HEAD)
        try:
            with self._broadcasts.join(self._camera, connection):
                self._joined(self._camera)
                await connection.gone.wait()
        finally:
            connection.close()


async def _send_head(send: Send) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body"})
