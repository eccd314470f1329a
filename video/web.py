"""What the video server answers over HTTP."""

import asyncio
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from video.board import Board
from video.channel import Channel
from video.mjpeg import Stream, until_gone

_PAGE: Final = Path(__file__).parent / "page"
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
    ),
    "Cache-Control": "no-cache",  # a new version is seen at once, and whole
    "Vary": "Accept",
    "X-Content-Type-Options": "nosniff",
}


class _PageFiles(StaticFiles):
    def file_response(self, *args: Any, **options: Any) -> Response:
        response = super().file_response(*args, **options)
        response.headers.update(_HEADERS)
        return response


def application(board: Board, interval: float) -> Starlette:
    """Return the ASGI application; `interval` is the least time between two frames of a stream in s."""

    async def root(request: Request) -> Response | Stream:
        if "text/html" in request.headers.get("accept", ""):
            return FileResponse(_PAGE / "index.html", headers=_HEADERS)
        return await first_stream(request)

    async def first_stream(request: Request) -> Response | Stream:
        channel = await _first(board, request)
        return Stream(channel, interval) if channel else _stopping()

    async def stream(request: Request) -> Response | Stream:
        channel = _channel(board, request)
        return Stream(channel, interval) if channel else _unknown(board, request)

    async def snapshot(request: Request) -> Response:
        channel = _channel(board, request)
        if channel is None:
            return _unknown(board, request)
        frame = channel.frame
        headers = {"Cache-Control": "no-store", "X-Seq": str(frame.seq), "X-Captured": str(frame.captured)}
        return Response(frame.jpeg, media_type="image/jpeg", headers=headers)

    async def cameras(_: Request) -> Response:
        return JSONResponse([channel.status() for channel in board])

    async def camera(request: Request) -> Response:
        channel = _channel(board, request)
        return JSONResponse(channel.status()) if channel else _unknown(board, request)

    return Starlette(
        routes=[
            Route("/", root),
            Mount("/page", _PageFiles(directory=_PAGE)),
            Route("/stream", first_stream),
            Route("/stream/{camera:path}", stream),
            Route("/snapshot/{camera:path}.jpg", snapshot),
            Route("/api/cameras", cameras),
            Route("/api/cameras/{camera:path}", camera),
        ]
    )


def _channel(board: Board, request: Request) -> Channel | None:
    return board.get(request.path_params["camera"])


async def _first(board: Board, request: Request) -> Channel | None:
    # A client that goes before there is any camera must not be waited for.
    waiting = asyncio.ensure_future(board.first())
    leaving = asyncio.ensure_future(until_gone(request.receive))
    try:
        await asyncio.wait((waiting, leaving), return_when=asyncio.FIRST_COMPLETED)
        return waiting.result() if waiting.done() else None
    finally:
        waiting.cancel()
        leaving.cancel()


def _unknown(board: Board, request: Request) -> Response:
    names = ", ".join(channel.frame.camera for channel in board) or "none yet"
    text = f"no camera {request.path_params['camera']!r}; there are: {names}\n"
    return PlainTextResponse(text, status_code=404)


def _stopping() -> Response:
    return PlainTextResponse("the server is stopping\n", status_code=503)
