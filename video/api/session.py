"""The resource `/api/session`: the current user."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

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
        visitor = visitor_of(request.scope)
        why_not = why_nobody or visitor.lacks("operator")
        user = {"access": "open"} if visitor.name is None else {"access": "user", "name": visitor.name}
        rights = {
            "roles": list(visitor.roles),
            "may_change": why_not is None,
            "why_not": why_not,
            "cameras_as_data": why_nobody is None,
        }
        return as_json(user | rights)

    return router
