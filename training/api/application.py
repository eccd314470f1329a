"""The web application: all resources, and its OpenAPI description."""

from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.types import ASGIApp

from pipeline import __version__
from pipeline.access import schemes
from pipeline.access.rootpath import root_of
from training.api import (
    configurations,
    datasources,
    deployments,
    example,
    importing,
    inferences,
    models,
    page,
    results,
    session,
    uploads,
    versions,
    visualisation,
)
from training.api.answers import answer, answer_errors
from training.api.bodies import LimitedBodies
from training.api.parts import Parts

_REFUSED: Final = {
    "401": "Login required",
    "403": "The visitor lacks the role `trainer`, or a page of another site has asked",
    "503": "Try again later: the database is away, or logouts have not been read from Kafka yet",
}
_LISTS: Final = (
    "models",
    "configurations",
    "deployments",
    "results",
    "inferences",
    "datasources",
    "versions",
)


def create_app(parts: Parts) -> FastAPI:
    """Return the application."""
    app = FastAPI(
        title="Streamlens training",
        summary="Models trained on streams: the API of Kafka-ML",
        version=__version__,
        openapi_url=None,  # FastAPI would write the description again for each request
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # Starlette would redirect to the host that the client names
    )
    answer_errors(app)
    for module in (
        models,
        configurations,
        importing,
        deployments,
        results,
        uploads,
        inferences,
        datasources,
        versions,
        example,
    ):
        # Paths with a fixed last part come before those with an id.
        app.include_router(module.routes(parts))
    app.router.routes.sort(key=lambda route: getattr(route, "path", "").endswith("}"))
    app.include_router(session.routes())
    app.router.routes += [visualisation.route(parts), *page.routes()]
    for name in _LISTS:
        app.add_api_route(f"/{name}", _with_slash(name), include_in_schema=False)
    app.add_api_route("/api/openapi.json", lambda: answer(_described(app)), include_in_schema=False)
    return app


def limited(app: FastAPI) -> ASGIApp:
    """Return the application with limits on what requests send."""
    return LimitedBodies(app)


def _with_slash(name: str) -> Any:
    async def redirect(request: Request) -> Response:
        return RedirectResponse(f"{root_of(request.scope)}/{name}/", 301)

    return redirect


def _described(app: FastAPI) -> dict[str, Any]:
    description = app.openapi()
    for methods in description["paths"].values():
        for operation in methods.values():
            operation["responses"].pop("422", None)  # FastAPI's own, which we answer as 400
            for status, what in _REFUSED.items():
                operation["responses"].setdefault(status, {"description": what})
    return schemes.add(description)
