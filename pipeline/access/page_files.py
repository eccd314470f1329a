"""The files of a page: the service's own, and those of the login page, which all services share."""

from pathlib import Path
from typing import Any, Final

from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

FOLDER: Final = Path(__file__).parent / "page"
"""The login page, and its style."""

_FRESH: Final = {
    "Cache-Control": "no-cache",
    "Vary": "Accept",
}  # so that a new version is used at once, and completely


class PageFiles(StaticFiles):
    """Serves the files of a folder, and of `FOLDER`.

    The login page uses three files of the service's: `icon.svg`, `theme.js` and `style/tokens.css`.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)
        self.all_directories.append(FOLDER)

    def file_response(self, *args: Any, **options: Any) -> Response:
        """Return the answer with a file."""
        response = super().file_response(*args, **options)
        response.headers.update(_FRESH)
        return response


def page_file(path: Path) -> Response:
    """Return the answer with a page itself."""
    return FileResponse(path, headers=_FRESH)
