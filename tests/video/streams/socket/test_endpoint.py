"""The socket's opening, what it takes, and its end, as ASGI shows them."""

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

import pytest
from prometheus_client import REGISTRY
from starlette.requests import Request
from starlette.responses import Response

from pipeline.access.visitor import VISITOR, Anyone
from pipeline.http.connection import CONNECTION
from tests.video.fakes import a_frame, settle
from tests.video.streams.socket.fakes import Guest, Wall, Wire
from video.streams.clients import Clients
from video.streams.socket.endpoint import Socket


class Browser:
    """A browser, as uvicorn shows it to the application."""

    def __init__(self, guest: Guest | None = None) -> None:
        self.connection = Wire()
        self.scope = {"type": "websocket", CONNECTION: self.connection, VISITOR: guest or Anyone()}
        self.answers: list[MutableMapping[str, Any]] = []
        self._says: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._says.put_nowait({"type": "websocket.connect"})

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Take an answer."""
        self.answers.append(message)

    def says(self, message: Any) -> None:
        """Send a message: text as it is, bytes as a binary one, anything else as JSON."""
        field = "bytes" if isinstance(message, bytes) else "text"
        content = message if isinstance(message, str | bytes) else json.dumps(message)
        self._says.put_nowait({"type": "websocket.receive", field: content})

    def leave(self) -> None:
        """Close the connection."""
        self._says.put_nowait({"type": "websocket.disconnect", "code": 1005})

    async def visit(self, socket: Socket) -> None:
        """Be served until all is said."""
        async with asyncio.timeout(10):
            await socket(self.scope, self._says.get, self.send)


def a_wall() -> Wall:
    """Return the cameras `door` and `yard`."""
    wall = Wall()
    wall.put(a_frame(7), a_frame(8, camera="yard"))
    return wall


def test_a_browser_is_accepted_and_gets_the_list_and_the_pictures_it_watches() -> None:
    wall, browser = a_wall(), Browser()
    browser.says({"type": "watch", "cameras": {"yard": 0}})
    browser.says({"type": "time", "echo": 5})
    browser.leave()

    asyncio.run(browser.visit(Socket(wall, Clients(1, 10))))

    assert browser.answers == [{"type": "websocket.accept"}]
    cameras, picture, time = browser.connection.messages
    assert [camera["name"] for camera in cameras["cameras"]] == ["door", "yard"]
    assert (picture.camera, picture.seq) == (2, 8)
    assert (time["type"], time["echo"]) == ("time", 5)
    assert not wall.cameras["yard"].listeners


def test_a_browser_knows_nothing_of_what_its_user_may_not_see() -> None:
    wall, browser = a_wall(), Browser(Guest(["door"]))
    browser.says({"type": "watch", "cameras": {"door": 0, "yard": 0}})
    browser.leave()

    asyncio.run(browser.visit(Socket(wall, Clients(1, 10))))

    (cameras,) = browser.connection.texts
    assert [camera["name"] for camera in cameras["cameras"]] == ["door"]
    assert [picture.camera for picture in browser.connection.pictures] == [1]


@pytest.mark.parametrize(
    ("message", "code"), [("{", 1007), ("[" * 60_000, 1007), ({"type": "hello"}, 1008), (b"\x00", 1008)]
)
def test_an_invalid_message_ends_the_socket(message: Any, code: int) -> None:
    wall, clients, browser = a_wall(), Clients(1, 10), Browser()
    browser.says({"type": "watch", "cameras": {"door": 0}})
    browser.says(message)

    asyncio.run(browser.visit(Socket(wall, clients)))

    accepted, closed = browser.answers
    assert accepted == {"type": "websocket.accept"}
    assert (closed["type"], closed["code"]) == ("websocket.close", code)
    assert closed["reason"]
    assert len(clients._open) == 0
    assert not wall.cameras["door"].listeners


def test_one_too_many_is_asked_to_come_later() -> None:
    async def scenario() -> tuple[Browser, Browser]:
        socket, first, second = Socket(a_wall(), Clients(1, 10)), Browser(), Browser()
        visit = asyncio.create_task(first.visit(socket))
        await settle()
        await second.visit(socket)
        first.leave()
        await visit
        third = Browser()
        third.leave()
        await third.visit(socket)
        return second, third

    second, third = asyncio.run(scenario())

    start, body = second.answers
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 503)
    assert dict(start["headers"])[b"retry-after"] == b"5"
    assert b"MAXCLIENTS" in body["body"]
    assert not second.connection.chunks
    assert third.answers == [{"type": "websocket.accept"}]


def explained(clients: Clients, **headers: str) -> Response:
    """Return the answer to a request for `/ws` that is not a handshake."""
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        CONNECTION: Wire(),
        VISITOR: Anyone(),
        "headers": pairs,
        "client": ("10.0.0.2", 1),
    }
    return asyncio.run(Socket(a_wall(), clients).explain(Request(scope)))


def test_a_page_whose_socket_does_not_open_is_told_that_a_proxy_changes_its_host() -> None:
    sent = {"host": "video:8080", "x_forwarded_host": "cams", "referer": "http://cams/page/app.js"}

    answer = explained(Clients(1, 10), **sent)

    assert answer.status_code == 426
    assert b"set TRUSTEDPROXIES=10.0.0.2" in answer.body


@pytest.mark.parametrize("referer", [{}, {"referer": "http://cams/?camera=door"}, {"referer": "nothing"}])
def test_or_that_a_proxy_does_not_pass_on_the_upgrade(referer: dict[str, str]) -> None:
    answer = explained(Clients(1, 10), host="cams", **referer)

    assert answer.status_code == 426
    assert b"headers Upgrade and Connection" in answer.body
    assert b"TRUSTEDPROXIES" not in answer.body


def test_or_that_there_are_too_many() -> None:
    answer = explained(Clients(0, 10), host="cams")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert b"MAXCLIENTS" in answer.body


def test_only_a_handshake_without_its_upgrade_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    explained(Clients(1, 10), host="cams", referer="http://cams/")
    assert not caplog.records

    explained(Clients(1, 10), host="cams", sec_websocket_key="x")

    assert "headers Upgrade and Connection" in caplog.text


def test_a_socket_ends_when_its_session_does() -> None:
    async def scenario() -> bool:
        clients, guest = Clients(2, 10), Guest(["door"])
        browser, other = Browser(guest), Browser(Guest(["door"]))
        socket = Socket(a_wall(), clients)
        visits = [asyncio.create_task(each.visit(socket)) for each in (browser, other)]
        await settle()
        guest.expected = False
        clients.sweep(0)
        for each in (browser, other):
            each.leave()
        await asyncio.gather(*visits)
        return browser.connection.aborted and not other.connection.aborted

    assert asyncio.run(scenario())


def test_open_sockets_are_counted() -> None:
    async def scenario() -> list[float | None]:
        socket, browser, counts = Socket(a_wall(), Clients(1, 10)), Browser(), []
        counts.append(REGISTRY.get_sample_value("streamlens_sockets"))
        visit = asyncio.create_task(browser.visit(socket))
        await settle()
        counts.append(REGISTRY.get_sample_value("streamlens_sockets"))
        browser.leave()
        await visit
        counts.append(REGISTRY.get_sample_value("streamlens_sockets"))
        return counts

    assert asyncio.run(scenario()) == [0, 1, 0]
