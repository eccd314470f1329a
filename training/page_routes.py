"""The page: the files in `page/`, and the login page's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from pipeline.access import page_files
from pipeline.access.page_files import PageFiles, page_file

FOLDER: Final = Path(__file__).parent / "page"
"""The page's files; `index.html` is served at `/`."""


def page_routes(folder: Path = FOLDER) -> Sequence[BaseRoute]:
    """Return the routes of a page; of a folder without one, only those that the login page needs."""

    async def index(_: Request) -> Response:
        return page_file(folder / "index.html")

    if not (folder / "index.html").is_file():
        return [Mount("/page", PageFiles(page_files.FOLDER))]
    return [Route("/", index), Mount("/page", PageFiles(folder))]


def is_api(path: str) -> bool:
    """Return whether answers at a path are JSON: everywhere except at the page and the login."""
    return path not in {"/", "/login", "/logout"} and not path.startswith("/page/")
