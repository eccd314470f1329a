"""HEAD wherever GET is answered: the same headers, and no body."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from video.streams.mjpeg.response import HEAD


class Heads:
    """ASGI middleware: answers a HEAD with the beginning of the answer to a GET.

    An answer without an end, such as a stream of events, ends as if its client had left.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or a socket."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_start(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body"})
                started = True

        async def receive_until_started() -> Message:
            return {"type": "http.disconnect"} if started else await receive()

        await self._app({**scope, "method": "GET", HEAD: True}, receive_until_started, send_start)
