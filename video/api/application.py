"""The web application: its OpenAPI description, and its answer to malformed parameters."""

from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from pipeline import __version__
from pipeline.service.settings import explain
from video.api import openapi

_MOST_SHOWN: Final = 40  # characters of a malformed parameter


def create_app() -> FastAPI:
    """Return an application without routes; it describes those added later at /api/openapi.json."""
    app = FastAPI(
        title="Streamlens",
        summary="Labelled live video of IP cameras",
        version=__version__,
        openapi_url=None,  # FastAPI would write the description again for each request
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # Starlette would redirect to the host that the client names
    )

    openapi.serve(app)

    @app.exception_handler(RequestValidationError)
    async def refuse(_: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"detail": "; ".join(map(_line, error.errors()))}, status_code=400)

    return app


def _line(problem: dict[str, Any]) -> str:
    text = str(problem["input"])
    shown = text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"
    wrong = explain(problem)
    return f"{problem['loc'][-1]}={shown!r}: {wrong[:1].lower()}{wrong[1:]}"
