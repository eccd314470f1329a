"""The bodies of requests that change something: JSON objects, read within a limit."""

import json
from typing import Any, Final, NoReturn

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

from video.api.answers import NOT_KEPT

LARGEST: Final = 16 * 1024
"""The largest body, in bytes."""

_KIND: Final = "application/json"


async def read_object(request: Request) -> dict[str, Any]:
    """Return the JSON object that a request sends; raise `HTTPException` for anything else."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _KIND:
        raise HTTPException(415, f"expected a JSON object, sent as Content-Type: {_KIND}", NOT_KEPT)
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST:
                # The rest is not read: the connection ends with the answer.
                raise HTTPException(
                    413, f"expected at most {LARGEST} bytes", {**NOT_KEPT, "Connection": "close"}
                )
        fields = json.loads(body, parse_constant=_refuse)
    except (ClientDisconnect, ValueError, RecursionError):
        raise HTTPException(400, "expected a JSON object, found invalid JSON", NOT_KEPT) from None
    if not isinstance(fields, dict):
        raise HTTPException(400, "expected a JSON object", NOT_KEPT)
    return fields


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
