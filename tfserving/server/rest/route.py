"""URLs of the REST API, matched on the path as it came: percent-encoded, its query included."""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from tfserving.server.errors import ServingError, invalid

PREFIX = "/v1/"

_WHICH = r"(?:/(?i:versions)/(?P<version>[0-9]+)|/(?i:labels)/(?P<label>[^/:]+))?"
_POST = re.compile(
    rf"(?i:/v1/models)/(?P<name>[^/:]+){_WHICH}:(?P<verb>(?i:predict|classify|regress))", re.ASCII
)
_GET = re.compile(rf"(?i:/v1/models)(?:/(?P<name>[^/:]+))?{_WHICH}(?P<verb>(?i:/metadata))?", re.ASCII)
_PATTERNS = {"POST": _POST, "GET": _GET}
_VERBS = {"predict", "classify", "regress"}


class VersionError(Exception):
    """The version in a URL is a number, but no int64."""


@dataclass(frozen=True, slots=True)
class Route:
    """What a request asks for: a verb (also `status`, `metadata`) of a model, a version or a label of it."""

    verb: str
    name: str
    version: int | None = None
    label: str | None = None


def match(method: str, path: str) -> Route:
    """Return what a request for a path with query is for.

    Raises ServingError (INVALID_ARGUMENT) where the API has no such URL, VersionError where a version is too
    large.
    """
    found = _find(method, path)
    verb = found["verb"] if found else None
    if found is None or (method == "POST" and verb not in _VERBS):
        raise malformed(method, path)
    if method == "GET":
        verb = "metadata" if verb else "status"
    version = int(found["version"]) if found["version"] else None
    if version is not None and version >= 2**63:
        raise VersionError(f"Failed to convert version: {found['version']} to numeric.")
    if not found["name"]:
        raise invalid("Missing model name in request.")
    return Route(
        str(verb), _decoded(found["name"]), version, _decoded(found["label"]) if found["label"] else None
    )


def model_name(method: str, path: str) -> str:
    """Return the model that a request names, also where it cannot be served; empty where it names none."""
    found = _find(method, path)
    return _decoded(found["name"] or "") if found else ""


def malformed(method: str, path: str) -> ServingError:
    """Return the failure of a request whose method and URL the API does not have."""
    return invalid(f"Malformed request: {method} {path}")


def _find(method: str, path: str) -> re.Match[str] | None:
    pattern = _PATTERNS.get(method)
    return pattern.fullmatch(path) if pattern else None


def _decoded(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "replace")
