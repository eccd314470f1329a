"""Who may do what: seeing needs no role, changes need `trainer`, and jobs may only do what is for them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.access.rootpath import route_of
from pipeline.access.visitor import visitor_of
from training.job_tokens import Job

VIEWING: Final = "streamlens.viewing"
"""The key of the `Viewing` in the scope of a WebSocket."""

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LOGIN: Final = frozenset({"/login", "/logout"})
# It runs the model's code, and marks the result as being trained.
_FETCHES: Final = re.compile(r"/results/[^/]+")


@dataclass(frozen=True, slots=True)
class Viewing:
    """What a visitor may watch through a WebSocket, as long as `welcome` says so.

    That is any topic they name, or only those with predictions.
    """

    any_topic: bool
    welcome: Callable[[], bool]


class Rights:
    """ASGI middleware behind the gate: refuses requests that the visitor may not send."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or a socket."""
        if scope["type"] == "http" and (why := _why_not(scope)):
            await JSONResponse({"detail": why}, 403, {"Cache-Control": "no-store"})(scope, receive, send)
            return
        if scope["type"] == "websocket":
            visitor = visitor_of(scope)
            if isinstance(visitor, Job):
                await receive()  # "websocket.connect"
                await send({"type": "websocket.close", "code": 1008, "reason": visitor.lacks("viewer")})
                return
            scope = {**scope, VIEWING: Viewing(visitor.lacks("trainer") is None, visitor.welcome)}
        await self._app(scope, receive, send)


def _why_not(scope: Scope) -> str | None:
    visitor, method, path = visitor_of(scope), scope["method"], route_of(scope)
    if isinstance(visitor, Job):
        return None if visitor.may(method, path) else visitor.lacks("trainer")
    if path in _LOGIN or (method in _SAFE and not _FETCHES.fullmatch(path)):
        return None
    return visitor.lacks("trainer")
