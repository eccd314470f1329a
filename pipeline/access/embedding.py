"""Pictures on the pages of other sites: `EMBEDORIGINS`."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.access import origin

_HEADERS: Final = "streamlens.embedding"
_SHOWN: Final = "Cross-Origin-Resource-Policy"
_PORTS: Final = {"http": 80, "https": 443}


class Embedding:
    """ASGI middleware: decides what the page that a request comes from may do with our pictures.

    The pages of the `origins`, such as `https://dashboard.example:8123`, may show and read them. Where no
    login is required, every other page may show them, but not read them: it would see what only somebody on
    this network should.
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
        # For an <img>, browsers send no Origin, but by default the origin in Referer.
        page = parse_origin(origin.header(headers, b"origin") or origin.header(headers, b"referer"))
        allowed = {"Vary": "Origin, Referer"} if self._origins else {}
        if self._is_open or page in self._origins:
            allowed[_SHOWN] = "cross-origin"
        if page in self._origins:
            allowed["Access-Control-Allow-Origin"] = page
            allowed["Access-Control-Allow-Credentials"] = "true"
        return allowed


def picture_headers(scope: Scope) -> Mapping[str, str]:
    """Return the headers that a picture for this request has in addition."""
    found: Mapping[str, str] = scope.get(_HEADERS, {})
    return found


def reading_headers(scope: Scope) -> Mapping[str, str]:
    """Return the headers with which pages may read an answer for this request that is not a picture."""
    found = picture_headers(scope)
    return {name: value for name, value in found.items() if name != _SHOWN}


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
