"""The resource `/api/session`: the current user."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipeline.access.current import current
from pipeline.access.visitor import visitor_of
from video.api import models
from video.api.answers import as_json, errors, example


def session_routes(why_nobody: str | None = None) -> APIRouter:
    """Return the route of the current user; `why_nobody` is why cameras cannot be changed at all."""
    router = APIRouter(tags=["access"])

    @router.get(
        "/api/session",
        summary="The current user",
        response_model=models.Session,
        responses={200: example(models.SESSION), **errors()},
    )
    async def current_user(request: Request) -> Response:
        found = current(visitor_of(request.scope), "operator", why_nobody)
        return as_json(found | {"cameras_as_data": why_nobody is None})

    return router
