"""The gate: every kind of address, logged in or not, allowed or not."""

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from pipeline.access.gate import Gate
from pipeline.access.hosts import Hosts
from pipeline.access.session import Sessions
from pipeline.access.users_file import UsersFile
from pipeline.access.visitor import visitor_of
from tests.pipeline.access.asgi import Client
from tests.pipeline.access.conftest import TOKEN

HTML = "text/html,application/xhtml+xml,*/*;q=0.8"
PATHS = [
    "/",
    "/stream",
    "/stream/door",
    "/snapshot/door.jpg",
    "/api/cameras",
    "/api/session",
    "/docs",
    "/page",
]
OPEN = ["/login", "/logout", "/page/app.js"]
HOSTS = Hosts(["cams"])


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Say who asks, and which of two cameras they may see."""
    visitor = visitor_of(scope)
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        return
    seen = [camera for camera in ("door", "office") if visitor.may_see(camera)]
    path = Request(scope).url.path
    await PlainTextResponse(f"{path} {visitor.name} {' '.join(seen)}")(scope, receive, send)


@pytest.fixture
def gate(sessions: Sessions) -> Client:
    """An application behind the gate."""
    return Client(Gate(app, sessions, HOSTS))


@pytest.fixture
def cookie(sessions: Sessions, content: UsersFile) -> str:
    """The cookie of a session of ann's."""
    return f"streamlens={sessions.begin('ann', content.users['ann'])}"


@pytest.mark.parametrize("url", PATHS + OPEN)
def test_access_is_open_to_all_without_users(url: str) -> None:
    answer = Client(Gate(app, None, HOSTS)).get(url)

    assert answer.text == f"{url} None door office"
    assert Client(Gate(app, None, HOSTS)).socket("/ws").status == 101


@pytest.mark.parametrize("url", PATHS + OPEN)
def test_who_has_logged_in_or_brings_a_token_passes(gate: Client, cookie: str, url: str) -> None:
    by_cookie = gate.get(url, cookie=cookie)
    by_token = gate.get(url, authorization=f"Bearer {TOKEN}")
    behind_a_proxys_own_login = gate.get(url, cookie=cookie, authorization="Basic cHJveHk6cHJveHk=")

    for answer in (by_cookie, by_token, behind_a_proxys_own_login):
        assert answer.text == f"{url} ann door"


@pytest.mark.parametrize("url", PATHS)
@pytest.mark.parametrize(
    "headers",
    [{}, {"cookie": "streamlens=forged"}, {"authorization": "Bearer sl_forged"}, {"cookie": "\xff" * 5000}],
)
def test_nobody_else_does(gate: Client, url: str, headers: dict[str, str]) -> None:
    assert gate.get(url, **headers).status == 401
    assert gate.ask("HEAD", url, headers).status == 401
    assert gate.ask("OPTIONS", url, headers).status == 401
    assert gate.post(url, None, **headers).status == 401
    assert gate.socket("/ws", **headers).status == 401


@pytest.mark.parametrize("url", OPEN)
def test_what_the_login_page_needs_is_open_but_shows_no_camera(gate: Client, url: str) -> None:
    assert gate.get(url).text == f"{url} None "
    assert gate.socket(url).status == 401


@pytest.mark.parametrize("url", ["//login", "/login/", "/page", "/Page/app.js", "/loginx", "/api/login"])
def test_what_only_looks_open_is_not(gate: Client, url: str) -> None:
    assert gate.get(url).status == 401


@pytest.mark.parametrize(
    ("url", "after"),
    [
        ("/", ""),
        ("/?camera=front%20door", "?next=%2F%3Fcamera%3Dfront%2520door"),
        ("/stream/caf%C3%A9", "?next=%2Fstream%2Fcaf%25C3%25A9"),
        ("//evil/stream", ""),
        ("/%0d%0aSet-Cookie:a=b", "?next=%2F%250D%250ASet-Cookie%253Aa%253Db"),
        ("/?" + "a" * 3000, ""),
    ],
)
def test_a_browser_is_led_to_the_login_page(gate: Client, url: str, after: str) -> None:
    answer = gate.get(url, accept=HTML)

    assert answer.status == 303
    assert answer.headers["location"] == f"/login{after}"
    assert answer.headers["cache-control"] == "no-store"


def test_the_login_page_is_below_the_root_path(sessions: Sessions) -> None:
    async def below(scope: Scope, receive: Receive, send: Send) -> None:
        inside = {**scope, "root_path": "/cameras", "path": "/cameras" + scope["path"]}
        await Gate(app, sessions, HOSTS)(inside, receive, send)

    client = Client(below)

    assert client.get("/", accept=HTML).headers["location"] == "/cameras/login"
    assert client.get("/stream", accept=HTML).headers["location"] == "/cameras/login?next=%2Fcameras%2Fstream"
    assert client.get("/page/login.css").status == 200
    assert client.get("/api/cameras").json["detail"]


def test_the_api_requests_a_login_in_json(gate: Client) -> None:
    answer = gate.get("/api/cameras")

    assert answer.json["detail"].startswith("log in")
    assert answer.headers["www-authenticate"] == 'Bearer realm="Streamlens"'


def test_players_are_asked_for_a_name_and_a_token_but_browsers_do_not_ask_over_the_page(gate: Client) -> None:
    player, page = gate.get("/stream/door"), gate.get("/stream/door", sec_fetch_mode="no-cors")

    assert player.headers["www-authenticate"].startswith('Basic realm="Streamlens"')
    assert page.headers["www-authenticate"] == 'Bearer realm="Streamlens"'


def test_a_socket_is_refused_before_it_is_accepted(gate: Client) -> None:
    assert gate.socket("/ws").types[0] == "websocket.http.response.start"
    assert gate.socket("/ws", extensions=()).types == ["websocket.close"]


def test_a_socket_opens_for_a_user_who_is_logged_in(gate: Client, cookie: str) -> None:
    assert gate.socket("/ws", cookie=cookie, origin="http://cams:8080").status == 101


@pytest.mark.parametrize("origin", ["http://evil", "null", "http://cams:9000"])
@pytest.mark.parametrize("open_to_all", [True, False])
def test_another_sites_page_can_neither_send_anything_nor_open_a_socket(
    sessions: Sessions, cookie: str, origin: str, open_to_all: bool
) -> None:
    client = Client(Gate(app, None if open_to_all else sessions, HOSTS), cookie=cookie)

    assert client.post("/logout", origin=origin).status == 403
    assert "other sites" in client.ask("DELETE", "/api/cameras", {"origin": origin}).json["detail"]
    assert client.socket("/ws", origin=origin).status == 403
    assert client.get("/stream/door", origin=origin).status == 200


def test_a_page_behind_a_proxy_that_changes_the_host_learns_what_helps_and_the_log_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = Client(Gate(app, None, HOSTS), address="172.18.0.5", x_forwarded_host="cams.example")
    ours = "https://cams.example"

    answers = [client.socket("/ws", origin=ours) for _ in range(2)] + [client.post("/login", origin=ours)]

    assert [answer.status for answer in answers] == [403, 403, 403]
    assert all("set TRUSTEDPROXIES=172.18.0.5" in answer.text for answer in answers)
    assert [record.message for record in caplog.records] == [answers[0].text.strip()]


def test_our_own_page_can(gate: Client, cookie: str) -> None:
    assert gate.post("/logout", cookie=cookie, origin="http://cams:8080").text == "/logout ann door"
    assert gate.post("/login", origin="https://other", sec_fetch_site="same-origin").status == 200


def test_messages_other_than_requests_and_sockets_pass() -> None:
    seen = []

    async def lifespan(scope: Scope, _: Receive, __: Send) -> None:
        seen.append(scope)

    async def nothing(*_: object) -> Any:
        raise AssertionError

    asyncio.run(Gate(lifespan, None, HOSTS)({"type": "lifespan"}, nothing, nothing))

    assert seen == [{"type": "lifespan"}]


def test_without_a_gate_in_front_nobody_may_see_anything() -> None:
    visitor = visitor_of({"type": "http"})

    assert not visitor.may_see("door")
    assert not visitor.welcome()
