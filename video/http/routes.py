"""The routes: the pages, MJPEG streams, snapshots, the WebSocket and the API."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Query
from fastapi import Path as PathParameter
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import Receive

from pipeline.access.embedding import picture_headers
from pipeline.access.page_files import PageFiles, page_file
from pipeline.access.visitor import visitor_of
from pipeline.cameras.record import is_preview
from pipeline.http.connection import CONNECTION
from pipeline.service.values import parse_duration
from video.api.application import create_app
from video.api.description import complete, headers, problem, text
from video.cameras.camera import Camera
from video.cameras.cameras import Cameras
from video.http.description import PICTURE, paths
from video.streams.clients import Clients, TooManyError
from video.streams.inferred.endpoint import PATH, Inferred
from video.streams.mjpeg.broadcast import Broadcasts
from video.streams.mjpeg.response import Stream
from video.streams.socket.endpoint import Socket

_PAGE: Final = Path(__file__).parents[1] / "page"
_LONGEST_WAIT: Final = 120.0  # s

Wait = Annotated[
    str | None, Query(description="how long to wait for a camera without a picture, such as 30s; up to 2m")
]
CameraName = Annotated[str, PathParameter(description="the camera's name", examples=["door"])]


# In JSON if no name can be so, such as one of several lines.
_NO_CAMERA: Final = text("Does not exist, or you may not see it", "no camera 'yard'; there are: door")
_NO_CAMERA["content"] |= problem("")["content"]


def application(cameras: Cameras, clients: Clients, api: APIRouter, interval: float) -> FastAPI:
    """Return the ASGI application, with the routes of the `api`.

    `interval` is the shortest time between two frames of a stream, in s.
    """
    app = create_app()
    pictures = Pictures(cameras, clients, interval)
    socket = Socket(cameras, clients)
    app.router.routes += [
        *pictures.routes(),
        WebSocketRoute("/ws", socket),
        # Any other path of a WebSocket is an id, or refused: that of a camera page/1 is not one of a file.
        WebSocketRoute("/{stream:path}", Inferred(cameras, clients)),
        Mount("/page", PageFiles(_PAGE)),
        Route("/ws", socket.explain),
    ]
    app.include_router(api)
    app.add_api_route(
        "/snapshot/{camera:path}.jpg",
        pictures.snapshot,
        tags=["cameras"],
        summary="A camera's newest picture",
        response_class=Response,
        responses={
            200: {
                "content": {"image/jpeg": {}},
                "description": "The picture",
                "headers": headers("X-Captured", "X-Seq", "X-State", *PICTURE),
            },
            401: text("Login required", "log in, or send a token as Authorization: Bearer TOKEN"),
            404: _NO_CAMERA,
        },
    )
    # Last, because the path of each other address has priority.
    app.router.routes.append(Route(PATH, socket.explain))
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = describe()
            schema["paths"] |= paths()
            complete(schema)
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]
    _complete(app)
    return app


def _complete(app: FastAPI) -> None:
    """Let FastAPI complete its routes, which would hold up the video during the first request."""
    nowhere = {"type": "http", "method": "GET", "path": "/", "root_path": "", "headers": []}
    for route in app.routes:
        route.matches(nowhere)


class Pictures:
    """The page at the root, MJPEG for players, and snapshots."""

    def __init__(self, cameras: Cameras, clients: Clients, interval: float) -> None:
        self._cameras = cameras
        self._clients = clients
        self._broadcasts = Broadcasts(interval)

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            Route("/", self._root),
            Route("/status", _status_page),
            Route("/stream", self._first_stream),
            Route("/stream/{camera:path}", self._stream),
        ]

    async def _root(self, request: Request) -> Response | Stream:
        if "text/html" in request.headers.get("accept", ""):
            return page_file(_PAGE / "index.html")
        return await self._first_stream(request)

    async def _first_stream(self, request: Request) -> Response | Stream:
        camera = await self._awaited(request, lambda name: not is_preview(name), None)
        if isinstance(camera, Response):
            return camera
        if camera is None:
            return PlainTextResponse("the server is stopping\n", status_code=503)
        return self._streamed(camera)

    async def _stream(self, request: Request) -> Response | Stream:
        camera = await self._named(request)
        return camera if isinstance(camera, Response) else self._streamed(camera)

    async def snapshot(
        self,
        request: Request,
        camera: CameraName,  # noqa: ARG002
        wait: Wait = None,  # noqa: ARG002
    ) -> Response:
        """Answer with a camera's newest picture."""
        found = await self._named(request)
        if isinstance(found, Response):
            return found
        frame = found.frame
        headers = {
            "Cache-Control": "no-store",
            "X-Captured": str(frame.captured),
            "X-Seq": str(frame.seq),
            "X-State": found.state,
            **picture_headers(request.scope),
        }
        return Response(frame.jpeg, media_type="image/jpeg", headers=headers)

    def _streamed(self, camera: Camera) -> Stream:
        return Stream(camera, self._broadcasts, self._clients)

    async def _named(self, request: Request) -> Camera | Response:
        """Return the camera in the path, perhaps after a wait, or the answer that there is none."""
        name, wait = request.path_params["camera"], request.query_params.get("wait", "0s")
        try:
            seconds = float(str(parse_duration(wait)))
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds <= _LONGEST_WAIT:
            return PlainTextResponse(f"wait={wait!r}: expected 0s to 2m, such as 30s\n", 400)
        camera = self._cameras.get(name) if visitor_of(request.scope).may_see(name) else None
        if camera is not None or not seconds:
            return camera or self._unknown(request)
        found = await self._awaited(request, lambda each: each == name, seconds)
        return found or self._unknown(request)

    async def _awaited(
        self, request: Request, is_it: Callable[[str], bool], seconds: float | None
    ) -> Camera | Response | None:
        """Wait for a camera; return None if none comes in time, or before the client leaves."""
        visitor = visitor_of(request.scope)
        try:
            # A client that waits for a camera counts too, and may lose its permission.
            with self._clients.join(request.scope[CONNECTION], visitor.welcome):
                return await self._first(request, lambda name: is_it(name) and visitor.may_see(name), seconds)
        except TooManyError as error:
            return PlainTextResponse(f"{error}\n", 503, {"Retry-After": "5"})

    async def _first(
        self, request: Request, is_it: Callable[[str], bool], seconds: float | None
    ) -> Camera | None:
        # Do not keep waiting for a client that leaves before there is a camera.
        waiting = asyncio.ensure_future(self._cameras.first(is_it))
        leaving = asyncio.ensure_future(_until_gone(request.receive))
        try:
            await asyncio.wait((waiting, leaving), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return waiting.result() if waiting.done() else None
        finally:
            waiting.cancel()
            leaving.cancel()

    def _unknown(self, request: Request) -> Response:
        name, may_see = request.path_params["camera"], visitor_of(request.scope).may_see
        if may_see(name) and (known := self._cameras.find(name)) is not None:
            _, reason = known.condition()
            text = f"camera {name!r} has sent no frame yet{f': {reason}' if reason else ''}"
            return PlainTextResponse(f"{text}\n", 503, {"Cache-Control": "no-store", "Retry-After": "5"})
        text = self._cameras.unknown(name, may_see)
        return PlainTextResponse(f"{text}\n", 404, {"Cache-Control": "no-store"})


async def _status_page(_: Request) -> Response:
    return FileResponse(_PAGE / "status.html", headers={"Cache-Control": "no-cache"})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
