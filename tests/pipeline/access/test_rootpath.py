"""A path below which a proxy shows the server."""

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, Router, WebSocketRoute
from starlette.websockets import WebSocket

from pipeline.access.rootpath import RootPath, parse_rootpath, root_of, route_of
from tests.pipeline.access.asgi import Client


async def where(request: Request) -> Response:
    return JSONResponse([root_of(request.scope), route_of(request.scope), request.scope["path"]])


async def socket(socket: WebSocket) -> None:
    await socket.accept()


APP = Router(
    [
        Route("/", where),
        Route("/stream/{camera:path}", where),
        Mount("/api", routes=[Route("/cameras", where)]),
        WebSocketRoute("/ws", socket),
    ]
)


@pytest.mark.parametrize("prefix", ["", "/cameras"])
@pytest.mark.parametrize("path", ["/", "/stream/door", "/stream/a%2Fb", "/api/cameras"])
def test_a_proxy_may_take_the_root_path_off_or_leave_it(prefix: str, path: str) -> None:
    answer = Client(RootPath(APP, "/cameras")).get(prefix + path)

    decoded = path.replace("%2F", "/")
    assert answer.json[0] == "/cameras"
    assert answer.json[2] == f"/cameras{decoded}"


def test_the_path_below_the_root_path_is_known() -> None:
    assert Client(RootPath(APP, "/cameras")).get("/cameras/stream/door").json[1] == "/stream/door"
    assert Client(RootPath(APP, "")).get("/stream/door").json == ["", "/stream/door", "/stream/door"]
    assert route_of({"path": "/camerasx/y", "root_path": "/cameras"}) == "/camerasx/y"


def test_sockets_come_through_either_way() -> None:
    client = Client(RootPath(APP, "/cameras"))

    assert [client.socket(path).status for path in ("/ws", "/cameras/ws")] == [101, 101]


def test_the_root_path_alone_leads_to_the_page() -> None:
    answer = Client(RootPath(APP, "/cameras")).get("/cameras?camera=door")

    assert answer.status == 307
    assert answer.headers["location"] == "/cameras/?camera=door"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ""),
        ("/", ""),
        ("/cameras", "/cameras"),
        ("/a/b-c/", "/a/b-c"),
        ("/~v1.2", "/~v1.2"),
        (None, None),
    ],
)
def test_a_root_path_is_written_one_way(text: object, path: object) -> None:
    assert parse_rootpath(text) == path


@pytest.mark.parametrize(
    "text",
    ["cameras", "//", "/a//b", "/..", "/a/../b", "/a b", "/a?b", "/caf\u00e9", "/a\n", "/api", "/page/x"],
)
def test_what_cannot_be_a_root_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as /cameras|of the server itself"):
        parse_rootpath(text)
