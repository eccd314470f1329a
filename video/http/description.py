"""The description of what is not the API: the page, streams, the WebSocket, logins."""

from typing import Any, Final

from video.api.description import READABLE, Description, headers, problem, text

_FILE: Final = ("Accept-Ranges", "ETag", "Last-Modified", "Vary")
PICTURE: Final = READABLE
"""The headers that say which pages of other sites may show a picture."""
_STREAM: Final = {
    "description": "Motion JPEG without an end; each part has the headers X-Seq and X-Captured",
    "content": {"multipart/x-mixed-replace": {}},
    "headers": headers("X-Accel-Buffering", *PICTURE),
}
_ABSENT: Final = text("Does not exist, or you may not see it", "no camera 'yard'; there are: door")
_FORM: Final = {
    "type": "object",
    "required": ["name", "password"],
    "properties": {
        "name": {"type": "string"},
        "password": {"type": "string"},
        "next": {"type": "string", "description": "where to go then"},
    },
}


def _parameter(name: str, where: str, description: str) -> Description:
    return {
        "name": name,
        "in": where,
        "description": description,
        "required": where == "path",
        "schema": {"type": "string"},
    }


def _operation(summary: str, responses: dict[str, Any], **more: Any) -> Description:
    return {"summary": summary, "tags": ["page"], "responses": responses, **more}


def _stream(summary: str, *more: Description) -> Description:
    wait = _parameter(
        "wait", "query", "how long to wait for a camera without a picture, such as 30s; up to 2m"
    )
    return _operation(
        summary,
        {"200": {**_STREAM}, "404": {**_ABSENT}},
        parameters=[*more, wait],
    )


def _file(summary: str, *more: Description, **responses: Description) -> Description:
    found = {"description": "The file", "content": {"*/*": {}}, "headers": headers(*_FILE)}
    parts = {"206": {**found, "description": "A part of it"}, "416": text("It has no such part")}
    return _operation(summary, {"200": found, **parts, **responses}, parameters=[*more])


def _inferred(socket: Description) -> Description:
    absent = text("Not the id of a stream, or another address, which does not exist")
    absent["content"] |= problem("")["content"]
    sockets = {
        **socket,
        "101": {
            **socket["101"],
            "description": "A WebSocket: a binary message per picture, the JPEG; silent if there is none",
        },
        "404": absent,
    }
    return _operation(
        "A camera's pictures with one model's labels; the ids are those of /api/streams",
        sockets,
        parameters=[
            _parameter("camera", "path", "the camera's name, percent-encoded as in the id"),
            _parameter("model", "path", "the model's name, percent-encoded as in the id"),
        ],
    )


def paths() -> Description:
    """Return the description of these paths."""
    page = _file("The page; for clients that do not accept text/html, the first camera's stream")
    page["responses"] |= {
        "303": {
            "description": "To the login page; or, with the right `token`, to the page without it",
            "headers": headers("Set-Cookie"),
        },
        "307": {"description": "From `ROOTPATH` to the path with a slash"},
        "403": text("The `token` is wrong; or as for all addresses"),
        "429": text("Too many wrong tokens"),
    }
    page["parameters"].append(
        _parameter("token", "query", "what allows this browser to change cameras, without `USERS`")
    )
    page["responses"]["200"]["headers"] |= headers("X-Accel-Buffering", *PICTURE)
    socket = {
        "101": {
            "description": "A WebSocket, see video/streams/socket/README.md",
            "headers": headers("Sec-WebSocket-Accept", "Upgrade"),
        },
        "426": text("Not a WebSocket's handshake; the text says what a proxy must pass on"),
    }
    form = {"content": {"application/x-www-form-urlencoded": {"schema": _FORM}}, "required": True}
    cookie = {"headers": headers("Set-Cookie")}
    failed = text("The login page with an error: the name or the password is wrong", kind="text/html")
    return {
        "/": {"get": page},
        "/status": {"get": _file("The page with the status of all services")},
        "/stream": {"get": _stream("The first camera's stream")},
        "/stream/{camera}": {
            "get": _stream("A camera's stream", _parameter("camera", "path", "the camera's name"))
        },
        "/page/{file}": {
            "get": _file(
                "A file of the page",
                _parameter("file", "path", "the file's name"),
                **{"304": {"description": "It has not changed"}, "404": problem("There is no such file")},
            )
        },
        "/ws": {"get": _operation("Pictures and states for the page", socket)},
        "/{camera}:{model}:inferred": {"get": _inferred(socket)},
        "/login": {
            "get": _operation(
                "The login page",
                {
                    "200": text("The login page", kind="text/html"),
                    "303": {"description": "To the page: you are logged in, or no login is required"},
                },
                parameters=[_parameter("next", "query", "where to go after the login")],
            ),
            "post": _operation(
                "Log in",
                {
                    "200": failed,
                    "303": {"description": "To the page: logged in", **cookie},
                    "400": problem("Not the form of the login page"),
                    "413": problem("The form is too large"),
                    "415": problem("Not a form"),
                    "429": text("Too many attempts; the page says how long to wait", kind="text/html"),
                    "503": text("Logouts have not been read from Kafka yet", kind="text/html"),
                },
                requestBody=form,
            ),
        },
        "/logout": {"post": _operation("Log out", {"303": {"description": "To the login page", **cookie}})},
    }
