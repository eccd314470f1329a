"""The gate in front of all routes: it identifies the visitor, and rejects requests without permission."""

import logging
from collections.abc import Callable, Collection
from typing import Final
from urllib.parse import quote

from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.access import embedding, hosts, origin, token
from pipeline.access.hosts import Hosts
from pipeline.access.next_url import is_local
from pipeline.access.proxy import DIRECT_HOST
from pipeline.access.rootpath import root_of, route_of
from pipeline.access.session import NotYetError, Sessions
from pipeline.access.visitor import VISITOR, Nobody, Visitor
from pipeline.access.write_token import WriteAccess
from pipeline.service.logs import Seldom

log = logging.getLogger(__name__)

_OPEN: Final = {"/login", "/logout"}
_STREAM: Final = ":inferred"  # see video.streams.inferred
_SAFE: Final = {"GET", "HEAD", "OPTIONS"}
_NO_STORE: Final = {"Cache-Control": "no-store"}
_ASK: Final = 'Basic realm="Streamlens", charset="UTF-8"'
_BEARER: Final = 'Bearer realm="Streamlens"'
_LOG_IN: Final = "log in, or send a token as Authorization: Bearer TOKEN or as the password of a user"

Guests = Callable[[Scope], Visitor | None]
"""Finds the visitors that a service knows besides users and those who may make changes, such as its jobs."""


def is_below_api(path: str) -> bool:
    """Return whether a path is below /api/."""
    return path.startswith("/api/")


class Gate:
    """ASGI middleware: puts the `Visitor` into the scope, or answers instead of the application.

    Without sessions, access is open to everyone who asks for one of the `hosts`, but still closed to pages of
    other sites, and `writes` decides who may make changes. Pages of the `embed_origins` may open the
    WebSockets of streams, as they may read pictures, but not the one of our page. `guests` come in with or
    without sessions. Refusals are JSON where `is_api` says so of a path, and text elsewhere.
    """

    def __init__(
        self,
        app: ASGIApp,
        sessions: Sessions | None,
        hosts: Hosts,
        writes: WriteAccess | None = None,
        embed_origins: Collection[str] = (),
        *,
        guests: Guests | None = None,
        is_api: Callable[[str], bool] = is_below_api,
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._hosts = hosts
        self._writes = writes or WriteAccess()
        self._embed_origins = frozenset(embed_origins)
        self._guests = guests
        self._is_api = is_api
        self._seldom = Seldom(log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or a socket."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        if self._sessions is None:
            for names in (origin.values(scope["headers"], b"host"), scope.get(DIRECT_HOST, [])):
                if not self._hosts.allow(names):
                    why = hosts.explain(names)
                    self._seldom.warning("host", why)
                    await _refuse(self._answer(scope, 403, why), scope, receive, send)
                    return
        if _needs_our_page(scope) and not self._comes_from_a_page_that_may(scope):
            why = origin.explain(scope["headers"], scope["client"], scope["scheme"])
            if _is_stream(scope):
                why = f"{why}; or name the site in EMBEDORIGINS"
            self._seldom.warning("origin", why)
            await _refuse(self._answer(scope, 403, why), scope, receive, send)
            return
        if self._sessions is None and (with_token := self._writes.answer(scope)) is not None:
            await with_token(scope, receive, send)
            return
        try:
            visitor = self._visitor(scope)
        except NotYetError as error:
            visitor = None
            if not _open(scope):
                later = self._answer(scope, 503, str(error))
                later.headers["Retry-After"] = "5"
                await _refuse(later, scope, receive, send)
                return
        if visitor is None and not _open(scope):
            await _refuse(self._login_required(scope), scope, receive, send)
            return
        await self._app({**scope, VISITOR: visitor or Nobody()}, receive, send)

    def _comes_from_a_page_that_may(self, scope: Scope) -> bool:
        if origin.same(scope["headers"], scope["scheme"]):
            return True
        pages = origin.values(scope["headers"], b"origin")
        return (
            _is_stream(scope) and len(pages) == 1 and embedding.parse_origin(pages[0]) in self._embed_origins
        )

    def _visitor(self, scope: Scope) -> Visitor | None:
        if self._guests is not None and (guest := self._guests(scope)) is not None:
            return guest
        if self._sessions is None:
            return self._writes.visitor(scope)
        headers = scope["headers"]
        # The Authorization header may be meant for a proxy, so an unknown one does not rule out the cookie.
        return token.find(
            self._sessions.users, origin.header(headers, b"authorization")
        ) or self._sessions.find("; ".join(origin.values(headers, b"cookie")))

    def _login_required(self, scope: Scope) -> Response:
        """Return the response that requests a login, in a form that the client can handle."""
        headers = scope["headers"]
        path = route_of(scope)
        if scope["type"] == "websocket":
            return self._answer(scope, 401, _LOG_IN, _BEARER)
        if scope["method"] in {"GET", "HEAD"} and "text/html" in origin.header(headers, b"accept"):
            query = scope["query_string"].decode("latin-1")
            here = quote(scope["path"]) + (f"?{query}" if query else "")
            root = root_of(scope)
            after = f"?next={quote(here, safe='')}" if is_local(here, root) and here != f"{root}/" else ""
            return RedirectResponse(f"{root}/login{after}", 303, headers=_NO_STORE)
        if self._is_api(path) or origin.header(headers, b"sec-fetch-mode"):
            # Requests of our page: "Basic" would make the browser open its own password dialog.
            return self._answer(scope, 401, _LOG_IN, _BEARER)
        return self._answer(scope, 401, _LOG_IN, _ASK, _BEARER)

    def _answer(self, scope: Scope, status: int, text: str, *challenges: str) -> Response:
        if self._is_api(route_of(scope)):
            response: Response = JSONResponse({"detail": text}, status, _NO_STORE)
        else:
            response = PlainTextResponse(f"{text}\n", status, _NO_STORE)
        for challenge in challenges:
            response.headers.append("WWW-Authenticate", challenge)
        return response


def _needs_our_page(scope: Scope) -> bool:
    return scope["type"] == "websocket" or scope["method"] not in _SAFE


def _is_stream(scope: Scope) -> bool:
    """Return whether a WebSocket is one of those that only carry pictures."""
    return scope["type"] == "websocket" and route_of(scope).endswith(_STREAM)


def _open(scope: Scope) -> bool:
    path = route_of(scope)
    return scope["type"] == "http" and (path in _OPEN or path.startswith("/page/"))


async def _refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request, or a socket before it is accepted."""
    if scope["type"] == "websocket":
        await receive()  # "websocket.connect"
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
    await response(scope, receive, send)
