"""Who asks."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from video.access.visitor import visitor_of
from video.api import models
from video.api.answers import as_json, errors, example


def session_routes() -> APIRouter:
    """Return the route that tells a visitor who they are."""
    router = APIRouter(tags=["access"])

    @router.get(
        "/api/session",
        summary="Who asks",
        response_model=models.Session,
        responses={200: example(models.SESSION), **errors()},
    )
    async def who(request: Request) -> Response:
        name = visitor_of(request.scope).name
        return as_json({"access": "open"} if name is None else {"access": "user", "name": name})

    return router
