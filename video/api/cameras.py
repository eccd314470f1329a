"""The resource `/api/cameras`: the cameras and their states."""

import asyncio
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import Response

from pipeline.access.visitor import visitor_of
from video.api import models
from video.api.answers import NOT_KEPT, as_json, as_list, errors, example, written
from video.cameras.camera import Listed
from video.cameras.cameras import Cameras

_AT_ONCE: Final = 10  # cameras listed before the event loop does its other work
NAME = Path(description="the camera's name; slashes need not be quoted", examples=["door"])
"""The parameter that names a camera."""


def as_reported(camera: Listed, *, config: bool) -> dict[str, Any]:
    """Return what the API reports about a camera; with its configuration for those who may change it."""
    return {
        **camera.status(),
        "config": camera.configured.config() if config and camera.configured is not None else None,
    }


def camera_routes(cameras: Cameras) -> APIRouter:
    """Return the routes of the cameras."""
    router = APIRouter(tags=["cameras"])
    lists = asyncio.Lock()

    @router.get(
        "/api/cameras",
        summary="All cameras, by name",
        response_model=list[models.Camera],
        responses={200: example([models.CAMERA]), **errors()},
    )
    async def all_cameras(request: Request) -> Response:
        visitor = visitor_of(request.scope)
        config = visitor.lacks("operator") is None
        texts: list[bytes] = []
        async with lists:  # however many clients ask: the video must not wait for it
            for each in cameras.listed():
                if visitor.may_see(each.name):
                    texts.append(written(as_reported(each, config=config)))
                    if len(texts) % _AT_ONCE == 0:
                        await asyncio.sleep(0)
        return as_list(texts)

    @router.get(
        "/api/cameras/{camera:path}",
        summary="One camera",
        response_model=models.Camera,
        responses={200: example(models.CAMERA), **errors(404)},
    )
    async def one_camera(request: Request, camera: str = NAME) -> Response:
        visitor = visitor_of(request.scope)
        found = cameras.find(camera)
        if found is None or not visitor.may_see(camera):
            raise HTTPException(404, cameras.unknown(camera, visitor.may_see), NOT_KEPT)
        return as_json(as_reported(found, config=visitor.lacks("operator") is None))

    return router
