"""Pictures on the pages of other sites: `EMBEDORIGINS`."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from video.access import origin

_HEADERS: Final = "streamlens.embedding"
_PORTS: Final = {"http": 80, "https": 443}


class Embedding:
    """ASGI middleware: decides whether the page that a request comes from may show our pictures.

    Where no login is required, every page may; otherwise those of the `origins`, such as
    `https://dashboard.example:8123`.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str], *, is_open: bool) -> None:
        self._app = app
        self._origins = set(origins)
        self._is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or a socket."""
        if scope["type"] == "http":
            scope = {**scope, _HEADERS: self._headers(scope["headers"])}
        await self._app(scope, receive, send)

    def _headers(self, headers: origin.Headers) -> dict[str, str]:
        if self._is_open:
            return {"Cross-Origin-Resource-Policy": "cross-origin", "Access-Control-Allow-Origin": "*"}
        # For an <img>, browsers send no Origin, but by default the origin in Referer.
        page = parse_origin(origin.header(headers, b"origin") or origin.header(headers, b"referer"))
        if page not in self._origins:
            return {"Vary": "Origin, Referer"} if self._origins else {}
        return {
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Access-Control-Allow-Origin": page,
            "Access-Control-Allow-Credentials": "true",
            "Vary": "Origin, Referer",
        }


def picture_headers(scope: Scope) -> Mapping[str, str]:
    """Return the headers that a picture for this request has in addition."""
    found: Mapping[str, str] = scope.get(_HEADERS, {})
    return found


def parse_origin(url: str) -> str:
    """Return the origin of a URL as browsers write it, such as `https://host:8123`; empty if it has none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if ":" in host:
            host = f"[{ipaddress.IPv6Address(host)}]"
    except ValueError:
        return ""
    if parts.scheme not in _PORTS or not host:
        return ""
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != _PORTS[parts.scheme] else "")
