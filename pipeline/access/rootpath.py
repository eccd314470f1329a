"""The path under which a proxy publishes the server: `ROOTPATH`."""

import re
from collections.abc import MutableMapping
from typing import Any, Final

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_FORM: Final = re.compile(r"(/[\w~-][\w.~-]*)*", re.ASCII)
_OURS: Final = {"api", "login", "logout", "page", "snapshot", "stream", "ws"}


def parse_rootpath(text: object) -> object:
    """Return a root path without a trailing slash; raise ValueError if it is invalid.

    Anything that is not a string is returned unchanged.
    """
    if not isinstance(text, str):
        return text
    path = text.removesuffix("/")
    if not _FORM.fullmatch(path):
        raise ValueError(
            "expected a path of letters, digits and any of ._~- between slashes, such as /cameras"
        )
    if (first := path.split("/", 2)[1:2]) and first[0] in _OURS:
        raise ValueError(f"expected another path: /{first[0]} is an address of the server itself")
    return path


def root_of(scope: MutableMapping[str, Any]) -> str:
    """Return the server's root path, even inside a mounted application."""
    return str(scope.get("app_root_path", scope.get("root_path", "")))


def route_of(scope: MutableMapping[str, Any]) -> str:
    """Return the path below the root path."""
    path, root = str(scope["path"]), root_of(scope)
    return path[len(root) :] if path.startswith(f"{root}/") else path


class RootPath:
    """ASGI middleware: the application sees the whole path even if the proxy has stripped the root."""

    def __init__(self, app: ASGIApp, root: str) -> None:
        self._app = app
        self._root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or a socket."""
        if not self._root or scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path == self._root and scope["type"] == "http":
            # The page's links are relative, so its own address must end with a slash.
            query = scope["query_string"].decode("latin-1")
            there = RedirectResponse(f"{self._root}/" + (f"?{query}" if query else ""), 307)
            await there(scope, receive, send)
            return
        inside = {**scope, "root_path": self._root}
        if not path.startswith(f"{self._root}/"):
            inside["path"] = self._root + path
            if scope.get("raw_path") is not None:
                inside["raw_path"] = self._root.encode() + scope["raw_path"]
        await self._app(inside, receive, send)
