"""The URLs of the REST API, matched against the raw path: percent-encoded, including the query."""

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
    """The version in a URL is a number that does not fit into an int64."""


@dataclass(frozen=True, slots=True)
class Route:
    """The target of a request: a verb (also `status`, `metadata`), and a model with a version or a label."""

    verb: str
    name: str
    version: int | None = None
    label: str | None = None


def match(method: str, path: str) -> Route:
    """Return the route of a request, given its method and its path with the query.

    Raises ServingError (INVALID_ARGUMENT) if the API has no such URL, VersionError if the version is too
    large.
    """
    found = _find(method, path)
    verb = found["verb"] if found else None
    if found is None or (method == "POST" and verb not in _VERBS):
        raise malformed(method, path)
    if method == "GET":
        verb = "metadata" if verb else "status"
    digits = (found["version"] or "").lstrip("0")
    version = int(digits[:20] or 0) if found["version"] else None
    if version is not None and version >= 2**63:
        raise VersionError(f"Failed to convert version: {found['version']} to numeric.")
    if not found["name"]:
        raise invalid("Missing model name in request.")
    return Route(
        str(verb), _decoded(found["name"]), version, _decoded(found["label"]) if found["label"] else None
    )


def model_name(method: str, path: str) -> str:
    """Return the name of the model in a request, even if the request is invalid; empty if it has none."""
    found = _find(method, path)
    return _decoded(found["name"] or "") if found else ""


def malformed(method: str, path: str) -> ServingError:
    """Return the error for a method and a URL that the API does not have."""
    return invalid(f"Malformed request: {method} {path}")


def _find(method: str, path: str) -> re.Match[str] | None:
    pattern = _PATTERNS.get(method)
    return pattern.fullmatch(path) if pattern else None


def _decoded(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "replace")
