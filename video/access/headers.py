"""The headers that tell browsers what our page may do, and what others may do with it."""

from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Final = {
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        b"connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; "
        b"form-action 'self'; frame-ancestors 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    # no-referrer would make browsers say "Origin: null" when our own forms are sent.
    b"referrer-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"x-frame-options": b"DENY",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
}
"""What every answer carries."""

# Browsers complain where it comes over HTTP, and ignore it.
_OVER_TLS: Final = {b"cross-origin-opener-policy": b"same-origin"}
# A month: who goes back to HTTP is not locked out for a year, on none of the host's ports.
_HSTS: Final = {b"strict-transport-security": b"max-age=2592000"}
_STARTS: Final = {"http.response.start", "websocket.http.response.start"}


class SecurityHeaders:
    """ASGI middleware: adds the headers to every answer, except where it has set one itself.

    `tls` tells that TLS is this server's own, and clients are to stay with it.
    """

    def __init__(self, app: ASGIApp, tls: bool) -> None:
        self._app = app
        self._headers = HEADERS | (_HSTS if tls else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or a socket."""
        wanted = self._headers | (_OVER_TLS if scope.get("scheme") in {"https", "wss"} else {})

        async def send_with_headers(message: Message) -> None:
            if message["type"] in _STARTS:
                message = {**message, "headers": _completed(message.get("headers", ()), wanted)}
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _completed(headers: Any, wanted: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    known = {name.lower() for name, _ in headers}
    return [*headers, *(header for header in wanted.items() if header[0] not in known)]
