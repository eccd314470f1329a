"""The page: its files."""

from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

_PAGE: Final = Path(__file__).parents[1] / "page"
_FRESH: Final = {"Cache-Control": "no-cache"}  # so that a new version is used at once, and completely


class _Files(StaticFiles):
    def file_response(self, *args: Any, **options: Any) -> Response:
        response = super().file_response(*args, **options)
        response.headers.update(_FRESH)
        return response


def routes() -> list[BaseRoute]:
    """Return the routes."""
    return [Route("/", _show), Mount("/page", _Files(directory=_PAGE))]


async def _show(_: Request) -> Response:
    return FileResponse(_PAGE / "index.html", headers=_FRESH)
