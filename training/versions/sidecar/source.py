"""The training service as the sidecar sees it: which versions are served, and their files."""

import json
import urllib.request
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote

from training.versions.archive import unpack

_PATIENCE: Final = 30.0  # s without a byte
_ANSWER: Final = 64 * 2**20  # bytes of the list
_VERSION: Final = 8 * 2**30  # bytes of a version's files


class SourceError(Exception):
    """The service does not say which versions there are: why, in one line."""


class Source:
    """The service at `url`; `token` may be empty."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def served(self) -> dict[str, list[int]]:
        """Return the served versions of each model, the newest first. Raises SourceError."""
        with self._opened("/versions/") as answer:
            try:
                found = json.loads(answer.read(_ANSWER))
                return {str(each["model"]): _numbers(each["versions"]) for each in found}
            except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
                raise SourceError(f"{self._url}: expected a list of versions, {error}") from None

    def fetch(self, model: str, version: int, folder: Path) -> None:
        """Write the files of a version into an empty folder.

        Raises SourceError, ArchiveError if not all arrives, and OSError if they cannot be written.
        """
        with self._opened(f"/versions/{quote(model, safe='')}/{version}/archive") as answer:
            unpack(answer, folder, _VERSION)

    def _opened(self, path: str) -> Any:
        request = urllib.request.Request(f"{self._url}{path}", headers=self._headers)  # noqa: S310
        try:
            return urllib.request.urlopen(request, timeout=_PATIENCE)  # noqa: S310
        except HTTPError as error:
            error.close()
            raise SourceError(f"{self._url}{path} answered {error.code} {error.reason}") from None
        except (URLError, OSError) as error:
            raise SourceError(
                f"{self._url} does not answer ({getattr(error, 'reason', error)}): what is here is served"
            ) from None


def _numbers(versions: Any) -> list[int]:
    found = (each["version"] for each in versions if each["state"] in ("served", "old"))
    return sorted((int(number) for number in found if int(number) > 0), reverse=True)
