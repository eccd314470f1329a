"""The token with which other machines may change cameras."""

import re

import pytest
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from pipeline.access.gate import Gate
from pipeline.access.hosts import Hosts
from pipeline.access.proxy import ProxyHeaders
from pipeline.access.rootpath import RootPath
from pipeline.access.visitor import visitor_of
from pipeline.access.write_token import WriteAccess, check_token, new_token
from tests.clock import Clock
from tests.pipeline.access.asgi import Answer, Client

TOKEN = "a-token-of-24-characters"


async def answer(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
    """Answer with what the visitor lacks."""
    body = (visitor_of(scope).lacks("operator") or "may").encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


def client(clock: Clock, *, token: str = TOKEN, everyone: bool = False, root: str = "") -> Client:
    """Return a client on another machine."""
    writes = WriteAccess(token, everyone=everyone, clock=clock.monotonic)
    gate = Gate(answer, None, Hosts(["cams"]), writes)
    return Client(ProxyHeaders(RootPath(gate, root), "192.0.2.99"))


def may(said: Answer) -> bool:
    """Return whether the visitor may change cameras."""
    return said.text == "may"


def test_the_link_sets_a_cookie_for_this_browser_session_and_hides_the_token(clock: Clock) -> None:
    there = client(clock)
    assert "the link that the server prints" in there.get("/api/x").text

    said = there.get(f"/?token={TOKEN}&camera=a%20b", accept="text/html")

    assert (said.status, said.headers["location"]) == (303, "/?camera=a+b")
    assert said.headers["cache-control"] == "no-store"
    (cookie,) = said.cookies
    assert sorted(cookie.split("; ")[1:]) == ["HttpOnly", "Path=/", "SameSite=strict"]
    assert TOKEN not in cookie
    assert may(there.get("/api/x", cookie=said.cookie))
    assert may(Client(there.app, "192.0.2.8").get("/api/x", cookie=f"x=y; {said.cookie}"))


def test_the_cookie_keeps_to_https_and_to_the_root_path(clock: Clock) -> None:
    there = client(clock, root="/cams")
    there.scheme = "https"

    said = there.get(f"/cams/?token={TOKEN}")

    assert said.headers["location"] == "/cams/"
    assert {"Secure", "Path=/cams"} <= set(said.cookies[0].split("; "))


def test_scripts_send_it_as_a_bearer(clock: Clock) -> None:
    there = client(clock)

    assert may(there.get("/api/x", authorization=f"Bearer {TOKEN}"))
    assert not may(there.get("/api/x", authorization=f"Basic {TOKEN}"))
    assert not may(there.get("/api/x", authorization="Bearer "))
    assert not may(there.get("/api/x", authorization="Bearer \xe9"))


def test_this_machine_needs_none(clock: Clock) -> None:
    there = client(clock)
    here = Client(there.app, "127.0.0.1", host="localhost:8080")

    assert may(here.get("/api/x"))
    assert not may(here.get("/api/x", x_forwarded_for="127.0.0.1"))
    proxy = Client(there.app, "192.0.2.99")
    assert may(proxy.get("/api/x", x_forwarded_for="127.0.0.1"))
    assert not may(proxy.get("/api/x", x_forwarded_for="127.0.0.1, 192.0.2.5"))
    assert not may(proxy.get("/api/x"))


@pytest.mark.parametrize("address", ["192.0.2.1", "127.0.0.1"])
def test_without_a_token_nobody_may_unless_everyone_may(clock: Clock, address: str) -> None:
    nobody, everyone = client(clock, token=""), client(clock, token="", everyone=True)

    assert not may(Client(nobody.app, address, host="localhost").get("/api/x"))
    assert nobody.get("/?token=").status == 200
    assert may(Client(everyone.app, address, host="localhost").get("/api/x"))


@pytest.mark.exceeds("pipeline.access.write_token._MOST_WRONG")
def test_guesses_have_to_wait(clock: Clock) -> None:
    there = client(clock)
    for number in range(5):
        assert there.get(f"/?token=wrong-{number}").status == 403

    said = there.get(f"/?token={TOKEN}")
    assert (said.status, said.headers["retry-after"]) == (429, "1")
    assert "try again in 1 s" in there.get("/api/x", authorization=f"Bearer {TOKEN}").text
    assert Client(there.app, "192.0.2.8").get(f"/?token={TOKEN}").status == 303

    clock.now += 1
    assert there.get(f"/?token={TOKEN}").status == 303


def test_all_ways_to_guess_count(clock: Clock) -> None:
    there = client(clock)
    for number in range(5):
        if number % 2:
            there.get("/api/x", cookie=f"streamlens-write=wrong-{number}")
        else:
            there.get("/api/x", authorization=f"Bearer wrong-{number}")

    assert there.get(f"/?token={TOKEN}").status == 429


def test_an_old_cookie_counts_once(clock: Clock) -> None:
    there = client(clock)
    for _ in range(20):
        assert "not valid" in there.get("/api/x", cookie="streamlens-write=of-an-earlier-run").text

    assert there.get(f"/?token={TOKEN}").status == 303


def test_a_token_fits_in_a_url() -> None:
    assert re.fullmatch(r"[\w-]{32}", new_token())
    assert check_token(SecretStr(TOKEN)).get_secret_value() == TOKEN
    for wrong in ("short", "x" * 201, "with spaces in between", "with/slashes/in/between"):
        with pytest.raises(ValueError, match="expected 16 to 200"):
            check_token(SecretStr(wrong))
