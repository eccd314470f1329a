"""The files of a page: the service's own, and those of the login page, which all services share."""

import os
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


_KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""Otherwise the machine's own list decides, and browsers run no script that it calls a text."""


class PageFiles(StaticFiles):
    """Serves the files of a folder, and of `FOLDER`.

    The login page uses three files of the service's: `icon.svg`, `theme.js` and `style/tokens.css`.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)
        self.all_directories.append(FOLDER)

    def file_response(self, full_path: str | os.PathLike[str], *args: Any, **options: Any) -> Response:
        """Return the answer with a file."""
        response = super().file_response(full_path, *args, **options)
        response.headers.update(_FRESH)
        kind = _KINDS.get(Path(full_path).suffix)
        if kind and "Content-Type" in response.headers:  # unless the browser has it already
            response.headers["Content-Type"] = kind
        return response


def page_file(path: Path) -> Response:
    """Return the answer with a page itself."""
    return FileResponse(path, headers=_FRESH, media_type=_KINDS[path.suffix])
