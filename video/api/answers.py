"""What the API's answers have in common."""

from typing import Any, Final

from fastapi.responses import JSONResponse

from video.api import models

NOT_KEPT: Final = {"Cache-Control": "no-store"}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the description of the errors that a route answers with, beside those that all do."""
    texts = {
        400: "Something that was asked for is malformed",
        401: "A login is wanted",
        404: "There is none, or it may not be seen",
        503: "There are as many open streams as there may be",
    }
    return {
        status: {
            "model": models.Error,
            "description": texts[status],
            "content": {"application/json": {"example": _EXAMPLES[status]}},
        }
        for status in (*statuses, 401)
    } | {"default": {"model": models.Error, "description": "Any other error"}}


def example(content: Any, media_type: str = "application/json") -> dict[str, Any]:
    """Return the description of what a route answers when all is well."""
    return {"content": {media_type: {"example": content}}}


def as_json(content: Any, status: int = 200) -> JSONResponse:
    """Return an answer that is true only now."""
    return JSONResponse(content, status, NOT_KEPT)


_EXAMPLES: Final = {
    400: {"detail": "from='abc': a time is wanted, ISO 8601 or seconds since the epoch"},
    401: {"detail": "log in first, or send a token: Authorization: Bearer ..."},
    404: models.ERROR,
    503: {"detail": "there are 1000 open streams (MAXCLIENTS); try again later"},
}
