"""Limits on the bodies of requests."""

from typing import Final

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from training.versions.archive import KIND

LARGEST_JSON: Final = 4 * 2**20
"""The largest JSON object of a request, in bytes."""

LARGEST_FORM: Final = 80 * 2**20
"""The largest form without files, in bytes: percent-encoding makes metrics longer."""

LARGEST_UPLOAD: Final = 8 * 2**30
"""The largest upload of a trained model or of a version, in bytes."""


class LimitedBodies:
    """Ends requests that send too much, while they do."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count what it sends."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = _most(Headers(scope=scope).get("content-type", ""))
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                # The rest is not read: the connection ends with the answer.
                raise HTTPException(400, f"expected at most {most} bytes", {"Connection": "close"})
            return message

        await self._app(scope, counted, send)


def _most(kind: str) -> int:
    if kind.startswith(("multipart/form-data", KIND)):
        return LARGEST_UPLOAD
    return LARGEST_FORM if kind.startswith("application/x-www-form-urlencoded") else LARGEST_JSON
