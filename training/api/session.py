"""`/api/session`: the current user, for the page."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from pipeline.access.current import current
from pipeline.access.visitor import visitor_of
from training.api import described
from training.api.answers import answer


class Session(BaseModel):
    """Who the visitor is."""

    access: str = Field(description="`open`, or `user` if logins are required")
    name: str | None = Field(None, description="the user's name; missing if access is open")
    roles: list[str]
    may_change: bool = Field(description="whether the visitor may change models and trainings")
    why_not: str | None = Field(description="what helps a visitor who may not, in one line")


def routes() -> APIRouter:
    """Return the route."""
    router = APIRouter(tags=["access"])

    @router.get("/api/session", summary="The current user", responses=described.changed(Session))
    async def show_user(request: Request) -> Response:
        return answer(current(visitor_of(request.scope), "trainer"))

    return router
