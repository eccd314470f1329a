"""The resource `/api/openapi.json`: the description of the API, written and compressed once."""

import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from fastapi import FastAPI, Request, Response

from pipeline.access import schemes

PATH: Final = "/api/openapi.json"

_CODING: Final = re.compile(r"\s*(gzip|\*)\s*(?:;\s*q=(.*))?", re.IGNORECASE)
_NEVER: Final = re.compile(r"0(\.0*)?\s*")


class _Body(NamedTuple):
    content: bytes
    headers: Mapping[str, str]


def serve(app: FastAPI) -> None:
    """Add a route for the description of all routes that the application has at the first request."""

    @lru_cache(maxsize=1)
    def bodies(root: str) -> tuple[_Body, _Body]:
        described = schemes.add(app.openapi()) | ({"servers": [{"url": root}]} if root else {})
        text = json.dumps(described, ensure_ascii=False, separators=(",", ":")).encode()
        return _body(text), _body(gzip.compress(text, mtime=0), **{"Content-Encoding": "gzip"})

    async def description(request: Request) -> Response:
        plain, compressed = bodies(request.scope.get("root_path", ""))
        body = compressed if takes_gzip(request.headers.get("accept-encoding", "")) else plain
        if body.headers["ETag"] in re.findall(r'"[^"]*"', request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=body.headers)
        return Response(body.content, media_type="application/json", headers=body.headers)

    app.add_route(PATH, description)


def takes_gzip(accepted: str) -> bool:
    """Return whether an `Accept-Encoding` allows gzip; `*` is for what is not named (RFC 9110, 12.5.3)."""
    found = filter(None, map(_CODING.fullmatch, accepted.split(",")))
    allowed = {each[1].lower(): not _NEVER.fullmatch(each[2] or "") for each in found}
    return allowed.get("gzip", allowed.get("*", False))


def _body(content: bytes, **headers: str) -> _Body:
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return _Body(content, {"Cache-Control": "no-cache", "ETag": tag, "Vary": "Accept-Encoding", **headers})
