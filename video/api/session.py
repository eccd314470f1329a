"""The resource `/api/session`: the current user."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from video.access.visitor import visitor_of
from video.api import models
from video.api.answers import as_json, errors, example


def session_routes() -> APIRouter:
    """Return the route of the current user."""
    router = APIRouter(tags=["access"])

    @router.get(
        "/api/session",
        summary="The current user",
        response_model=models.Session,
        responses={200: example(models.SESSION), **errors()},
    )
    async def current_user(request: Request) -> Response:
        name = visitor_of(request.scope).name
        return as_json({"access": "open"} if name is None else {"access": "user", "name": name})

    return router
