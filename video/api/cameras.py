"""The cameras."""

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import Response

from video.access.visitor import visitor_of
from video.api import models
from video.api.answers import NOT_KEPT, as_json, errors, example
from video.cameras.cameras import Board

_NAME = Path(description="the camera's name; a slash in it need not be quoted", examples=["door"])


def cameras(board: Board) -> APIRouter:
    """Return the routes of the cameras on a board; what they answer goes out as the channels tell it."""
    router = APIRouter(tags=["cameras"])

    @router.get(
        "/api/cameras",
        summary="All cameras, by name",
        response_model=list[models.Camera],
        responses={200: example([models.CAMERA]), **errors()},
    )
    async def all_cameras(request: Request) -> Response:
        may_see = visitor_of(request.scope).may_see
        return as_json([channel.status() for channel in board if may_see(channel.frame.camera)])

    @router.get(
        "/api/cameras/{camera:path}",
        summary="One camera",
        response_model=models.Camera,
        responses={200: example(models.CAMERA), **errors(404)},
    )
    async def one_camera(request: Request, camera: str = _NAME) -> Response:
        may_see = visitor_of(request.scope).may_see
        channel = board.get(camera)
        if channel is None or not may_see(camera):
            known = (channel.frame.camera for channel in board)
            names = ", ".join(filter(may_see, known)) or "none yet"
            raise HTTPException(404, f"no camera {camera!r}; there are: {names}", NOT_KEPT)
        return as_json(channel.status())

    return router
