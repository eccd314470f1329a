"""What OpenAPI says about every response: the statuses that any address may answer with, and all headers."""

from collections.abc import Mapping
from typing import Any, Final

from pipeline.access import headers as security

Description = dict[str, Any]
"""A part of an OpenAPI description."""

_HEADERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(security.NAMES, "Restricts what browsers do with the answer"),
    "Accept-Ranges": "`bytes`",
    "Access-Control-Allow-Credentials": "`true` for the pages in `EMBEDORIGINS`",
    "Access-Control-Allow-Origin": "The page of another site that may read the answer",
    "Cache-Control": "Whether the answer may be kept",
    "Connection": "`close` at the end, `Upgrade` for a WebSocket",
    "Content-Encoding": "`gzip`, if the client accepts it",
    "Content-Length": "The length in bytes, where it is known",
    "Content-Range": "Which part this is",
    "Date": "The server's time",
    "ETag": "Changes with the content",
    "Last-Modified": "When the file changed",
    "Location": "Where to go",
    "Retry-After": "After how many seconds to try again",
    "Sec-WebSocket-Accept": "The answer to `Sec-WebSocket-Key`",
    "Set-Cookie": "The session, and the device that is known from now on; both are signed",
    "Transfer-Encoding": "`chunked`, where the length is not known",
    "Upgrade": "`websocket`",
    "Vary": "Which headers of the request decide",
    "WWW-Authenticate": "Which logins are accepted",
    "X-Accel-Buffering": "`no`: a proxy must not hold events back",
    "X-Captured": "When the frame was captured, in ns since the epoch",
    "X-Seq": "The frame's number",
    "X-State": "The camera's state",
}

READABLE: Final = ("Access-Control-Allow-Credentials", "Access-Control-Allow-Origin", "Vary")
"""The headers that say which pages of other sites may read an answer."""

_ALWAYS: Final = (
    *security.NAMES,
    "Cache-Control",
    "Connection",
    "Content-Length",
    "Date",
    "Transfer-Encoding",
)
_BY_STATUS: Final[Mapping[str, tuple[str, ...]]] = {
    "206": ("Accept-Ranges", "Content-Range", "ETag", "Last-Modified", "Vary"),
    "303": ("Location",),
    "304": ("ETag", "Last-Modified", "Vary"),
    "307": ("Location",),
    "401": ("WWW-Authenticate",),
    "416": ("Content-Range",),
    "426": ("Upgrade",),
    "429": ("Retry-After",),
    "503": ("Retry-After",),
}
_TO_LOGIN: Final = "To the login page, for clients that accept `text/html`"
_EVERYWHERE: Final[Mapping[str, str]] = {
    "400": "Not HTTP, or a parameter is malformed",
    "401": "Login required",
    "403": "The page is not known under this `Host` (`ALLOWEDHOSTS`), or a page of another site has asked",
    "431": "The request line and its headers are too long",
    "500": "A fault in the server",
    "503": "Try again later: too many streams (`MAXCLIENTS`), or logouts have not been read from Kafka yet",
}


def complete(schema: Description) -> Description:
    """Add to a description what all operations have in common, and HEAD wherever there is GET."""
    for methods in schema["paths"].values():
        for method, operation in methods.items():
            if method == "get":
                operation["responses"].setdefault("303", {"description": _TO_LOGIN})
            _complete(operation["responses"])
        if "get" in methods:
            methods["head"] = _head(methods["get"])
    components = schema.setdefault("components", {})
    components["headers"] = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in _HEADERS.items()
    }
    return schema


def headers(*names: str) -> Description:
    """Return the description of a response's own headers."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def text(description: str, example: str = "", kind: str = "text/plain") -> Description:
    """Return the description of a response that is a text."""
    content: Description = {"schema": {"type": "string"}} | ({"example": example} if example else {})
    return {"description": description, "content": {kind: content}}


def problem(description: str) -> Description:
    """Return the description of an error in JSON."""
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _complete(responses: Description) -> None:
    # A catch-all would allow everything; 422 is FastAPI's own, which we answer as 400.
    for unwanted in ("default", "422"):
        responses.pop(unwanted, None)
    for status, what in _EVERYWHERE.items():
        response = responses.setdefault(status, {"description": what})
        if status != "431":
            # The gate and the API answer in JSON below /api/, and in plain text elsewhere.
            content = response.setdefault("content", {})
            content.setdefault("text/plain", {"schema": {"type": "string"}})
    for status, response in responses.items():
        response["headers"] = headers(*sorted({*_ALWAYS, *_BY_STATUS.get(status, ())})) | response.get(
            "headers", {}
        )


def _head(get: Description) -> Description:
    """Return the description of HEAD: as GET, without a body."""
    responses = {
        status: {key: value for key, value in response.items() if key != "content"}
        for status, response in get["responses"].items()
    }
    kept = {key: value for key, value in get.items() if key in {"tags", "summary", "parameters"}}
    name = f"head_{get['operationId']}" if "operationId" in get else None
    return {**kept, **({"operationId": name} if name else {}), "responses": responses}
