"""Security headers: what our page may do in a browser, and what pages of other sites may do with ours."""

from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Final = {
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        b"connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; "
        b"form-action 'self'; frame-ancestors 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    # With no-referrer, browsers send "Origin: null" with our own forms.
    b"referrer-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"x-frame-options": b"DENY",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
}
"""The headers of every response."""

# Over plain HTTP, browsers ignore it with a warning.
_OVER_TLS: Final = {b"cross-origin-opener-policy": b"same-origin"}
# Only a month: it applies to all ports of the host, and locks out everyone who goes back to plain HTTP.
_HSTS: Final = {b"strict-transport-security": b"max-age=2592000"}
NAMES: Final = tuple(name.decode().title() for name in (*HEADERS, *_OVER_TLS, *_HSTS))
"""The names of all these headers."""

_STARTS: Final = {"http.response.start", "websocket.http.response.start"}


class SecurityHeaders:
    """ASGI middleware: adds the headers to every response that has not set them itself.

    `tls` is True if this server does TLS itself; clients must then keep using it.
    """

    def __init__(self, app: ASGIApp, tls: bool) -> None:
        self._app = app
        self._headers = HEADERS | (_HSTS if tls else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or a socket."""
        required = self._headers | (_OVER_TLS if scope.get("scheme") in {"https", "wss"} else {})

        async def send_with_headers(message: Message) -> None:
            if message["type"] in _STARTS:
                message = {**message, "headers": _completed(message.get("headers", ()), required)}
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _completed(headers: Any, required: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    known = {name.lower() for name, _ in headers}
    return [*headers, *(header for header in required.items() if header[0] not in known)]
