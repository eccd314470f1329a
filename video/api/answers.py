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


_EXAMPLES: Final = {
    400: {"detail": "from='abc': expected a time in ISO 8601 or in seconds since the epoch"},
    401: {"detail": "log in, or send a token as Authorization: Bearer TOKEN"},
    403: {"detail": "'evil.example' is not a known name of this server: open the page by its IP address"},
    404: models.ERROR,
    503: {"detail": "there are 1000 open streams (MAXCLIENTS); try again later"},
}
