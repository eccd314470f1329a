"""The page: its files, and those of the login page."""

from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from pipeline.access.page_files import PageFiles, page_file

_PAGE: Final = Path(__file__).parents[1] / "page"


def routes() -> list[BaseRoute]:
    """Return the routes."""
    return [Route("/", _show), Mount("/page", PageFiles(_PAGE))]


def is_api(path: str) -> bool:
    """Return whether answers at a path are JSON: everywhere except at the page and the login."""
    return path not in {"/", "/login", "/logout"} and not path.startswith("/page/")


async def _show(_: Request) -> Response:
    return page_file(_PAGE / "index.html")
