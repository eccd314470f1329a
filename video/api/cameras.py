"""The resource `/api/cameras`: the cameras and their states."""

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import Response

from video.access.visitor import visitor_of
from video.api import models
from video.api.answers import NOT_KEPT, as_json, errors, example
from video.cameras.cameras import Cameras

_NAME = Path(description="the camera's name; slashes need not be quoted", examples=["door"])


def camera_routes(cameras: Cameras) -> APIRouter:
    """Return the routes of the cameras."""
    router = APIRouter(tags=["cameras"])

    @router.get(
        "/api/cameras",
        summary="All cameras, by name",
        response_model=list[models.Camera],
        responses={200: example([models.CAMERA]), **errors()},
    )
    async def all_cameras(request: Request) -> Response:
        may_see = visitor_of(request.scope).may_see
        return as_json([each.status() for each in cameras.listed() if may_see(each.name)])

    @router.get(
        "/api/cameras/{camera:path}",
        summary="One camera",
        response_model=models.Camera,
        responses={200: example(models.CAMERA), **errors(404)},
    )
    async def one_camera(request: Request, camera: str = _NAME) -> Response:
        may_see = visitor_of(request.scope).may_see
        found = cameras.find(camera)
        if found is None or not may_see(camera):
            raise HTTPException(404, cameras.unknown(camera, may_see), NOT_KEPT)
        return as_json(found.status())

    return router
