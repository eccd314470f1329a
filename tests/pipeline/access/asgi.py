"""A client of ASGI applications, without a network."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlencode

from starlette.types import ASGIApp, Message

Pairs = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Answer:
    """What an application sent."""

    messages: list[Message] = field(default_factory=list)

    @property
    def types(self) -> list[str]:
        """The kinds of messages, in order."""
        return [message["type"] for message in self.messages]

    @property
    def status(self) -> int:
        """The status; 101 where a socket was accepted, 403 where it was closed instead, as servers do it."""
        known = {"websocket.accept": 101, "websocket.close": 403}
        return known.get(self.types[0]) or int(self.messages[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        """The headers, several of a name with commas between."""
        headers: dict[str, str] = {}
        for name, value in self.messages[0]["headers"]:
            key = name.decode()
            headers[key] = f"{headers[key]}, {value.decode()}" if key in headers else value.decode()
        return headers

    @property
    def text(self) -> str:
        """The body."""
        return b"".join(message.get("body", b"") for message in self.messages).decode()

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.text)

    @property
    def cookies(self) -> list[str]:
        """The cookies that were set, each with its attributes."""
        return [value.decode() for name, value in self.messages[0]["headers"] if name == b"set-cookie"]

    @property
    def cookie(self) -> str:
        """What a browser would send back of the cookies that were set."""
        return "; ".join(cookie.partition(";")[0] for cookie in self.cookies)


class Client:
    """Asks an application; its headers go with each request, over HTTPS or not."""

    def __init__(
        self, app: ASGIApp, address: str = "192.0.2.1", scheme: str = "http", **headers: str
    ) -> None:
        self.app = app
        self.address = address
        self.scheme = scheme
        self.headers = {"host": "cams:8080", **headers}

    def get(self, url: str, **headers: str) -> Answer:
        """Ask for an address."""
        return self.ask("GET", url, headers)

    def post(self, url: str, fields: dict[str, str] | None = None, **headers: str) -> Answer:
        """Send a form."""
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return self.ask("POST", url, kind | headers, [urlencode(fields or {}).encode()])

    def socket(
        self, url: str, extensions: Iterable[str] = ("websocket.http.response",), **headers: str
    ) -> Answer:
        """Open a socket."""
        scope = self._scope("websocket", url, headers)
        scope["extensions"] = {name: {} for name in extensions}
        return asyncio.run(self._run(scope, [{"type": "websocket.connect"}]))

    def ask(self, method: str, url: str, headers: dict[str, str], pieces: Iterable[bytes] = (b"",)) -> Answer:
        """Send a request, with a body in pieces; without any the client leaves before it has sent it."""
        scope = {**self._scope("http", url, headers), "method": method}
        bodies = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
        if bodies:
            bodies[-1]["more_body"] = False
        return asyncio.run(self._run(scope, bodies))

    def _scope(self, kind: str, url: str, headers: dict[str, str]) -> dict[str, Any]:
        path, _, query = url.partition("?")
        pairs: Pairs = [
            (name.replace("_", "-").encode(), value.encode("latin-1"))
            for name, value in (self.headers | headers).items()
        ]
        return {
            "type": kind,
            "scheme": self.scheme,
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": pairs,
            "client": (self.address, 40_000),
            "server": ("192.0.2.9", 8080),
        }

    async def _run(self, scope: dict[str, Any], incoming: list[dict[str, Any]]) -> Answer:
        answer = Answer()
        left = iter(incoming)

        async def receive() -> Message:
            return next(left, {"type": f"{scope['type']}.disconnect"})

        async def send(message: Message) -> None:
            answer.messages.append(message)

        await self.app(scope, receive, send)
        return answer
