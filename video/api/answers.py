"""Parts shared by the API's answers: errors, examples, JSON."""

import json
from collections.abc import Iterable
from typing import Any, Final

from fastapi.responses import JSONResponse, Response

from video.api import models

NOT_KEPT: Final = {"Cache-Control": "no-store"}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the description of a route's errors, including those that the gate answers with."""
    texts = {
        400: "A parameter is malformed",
        401: "Login required",
        403: "The page is not known under this `Host` (`ALLOWEDHOSTS`)",
        404: "Does not exist, or you may not see it",
        409: "It exists already, or there are too many",
        413: "The body is too large",
        415: "The body is not JSON",
        429: "Too many previews are open",
        503: "Try again later: too many requests or streams, or logouts have not been read from Kafka yet",
    }
    return {
        status: {
            "model": models.Error,
            "description": texts[status],
            "content": {"application/json": {"example": _EXAMPLES[status]}},
        }
        for status in sorted({*statuses, 401, 403, 503})
    }


def changes(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the description of the errors of a route that changes something."""
    return errors(400, 404, 413, 415, *statuses) | {
        403: {
            "model": models.Error,
            "description": "You may not change this; or as for all addresses",
            "content": {"application/json": {"example": {"detail": _MAY_NOT}}},
        },
        503: {
            "model": models.Error,
            "description": "Kafka has not stored the change within 5 s; or as for all addresses",
            "content": {"application/json": {"example": {"detail": _NOT_STORED}}},
        },
    }


def example(content: Any, media_type: str = "application/json") -> dict[str, Any]:
    """Return the description of a route's successful answer."""
    return {"content": {media_type: {"example": content}}}


def as_json(content: Any, status: int = 200) -> JSONResponse:
    """Return an answer that must not be cached."""
    return JSONResponse(content, status, NOT_KEPT)


def written(content: Any) -> bytes:
    """Return an item of a list as JSON."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def as_list(items: Iterable[bytes]) -> Response:
    """Return an answer that is a list of `written` items, and must not be cached."""
    return Response(b"[%b]" % b",".join(items), headers=NOT_KEPT, media_type="application/json")


_MAY_NOT: Final = "this needs the role operator: python -m pipeline.users roles ann viewer operator"
_NOT_STORED: Final = (
    "Kafka does not answer at kafka:9092 (connection refused): start Kafka, or correct the address; the"
    " change is made as soon as it answers"
)
_EXAMPLES: Final = {
    400: {"detail": "from='abc': expected a time in ISO 8601 or in seconds since the epoch"},
    401: {"detail": "log in, or send a token as Authorization: Bearer TOKEN"},
    403: {"detail": "'evil.example' is not a known name of this server: open the page by its IP address"},
    404: models.ERROR,
    409: {"detail": "camera 'door' exists already: choose another name"},
    413: {"detail": "expected at most 16384 bytes"},
    415: {"detail": "expected a JSON object, sent as Content-Type: application/json"},
    429: {"detail": "4 previews are open: try again in 60 s"},
    503: {"detail": "there are 1000 open streams (MAXCLIENTS); try again later"},
}
