"""Logging in and out."""

import logging
from pathlib import Path

import pytest
from fastapi import FastAPI

from pipeline.access.gate import Gate
from pipeline.access.hosts import Hosts
from pipeline.access.login import Login
from pipeline.access.login_guard import Passwords
from pipeline.access.logouts import Logouts
from pipeline.access.rootpath import RootPath
from pipeline.access.session import Sessions
from pipeline.access.users_file import UsersFile, write
from tests.clock import Clock
from tests.pipeline.access.asgi import Answer, Client
from tests.pipeline.access.conftest import PASSWORD, TOKEN
from video.api.application import create_app
from video.api.session import session_routes

ANN = {"name": "ann", "password": PASSWORD}
HOSTS = Hosts(["cams"])


@pytest.fixture
def client(sessions: Sessions, clock: Clock) -> Client:
    """A client of a server with users."""
    return Client(Gate(an_app(Login(sessions, Passwords(clock.monotonic))), sessions, HOSTS))


def an_app(login: Login) -> FastAPI:
    """Return an application with what is about logins."""
    app = create_app()
    app.router.routes += login.routes()
    app.include_router(session_routes())
    return app


def below(client: Client) -> Client:
    """Return the client, but of a server below a root path."""
    return Client(RootPath(client.app, "/cameras"), scheme=client.scheme)


def open_to_all() -> Client:
    return Client(Gate(an_app(Login(None, Passwords())), None, HOSTS))


def shows(answer: Answer, text: str) -> bool:
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"
    return text in answer.text


def test_the_page_asks_for_name_and_password(client: Client) -> None:
    answer = client.get("/login?next=/stream/door")

    assert answer.status == 200
    assert shows(answer, 'name="next" value="/stream/door"')
    assert "{{" not in answer.text
    assert "required autofocus>" in answer.text.partition("Password")[0]
    for inline in ("<script>", "<style", " style=", " onclick="):
        assert inline not in answer.text


@pytest.mark.parametrize("name", ["ann", " ann "])
def test_a_right_password_opens_a_session(client: Client, name: str) -> None:
    answer = client.post("/login", {**ANN, "name": name, "next": "/stream/door"})

    assert answer.status == 303
    assert answer.headers["location"] == "/stream/door"
    for cookie, length in zip(answer.cookies, (3600, 34_560_000), strict=True):
        attributes = sorted(cookie.split("; ")[1:])
        assert attributes == ["HttpOnly", f"Max-Age={length}", "Path=/", "SameSite=lax"]
    session = client.get("/api/session", cookie=answer.cookie).json
    assert (session["access"], session["name"], session["roles"]) == ("user", "ann", ["viewer"])


def test_somebody_who_has_just_been_added_can_log_in(client: Client, path: Path, content: UsersFile) -> None:
    write(path, content.model_copy(update={"users": {"eve": content.users["bob"]}}))

    assert client.post("/login", {"name": "eve", "password": PASSWORD}).status == 303


def test_the_cookie_keeps_to_https_and_to_the_root_path(client: Client) -> None:
    client.scheme = "https"

    answer = below(client).post("/login", ANN)

    assert answer.headers["location"] == "/cameras/"
    assert {"Secure", "Path=/cameras"} <= set(answer.headers["set-cookie"].split("; "))


@pytest.mark.parametrize(("scheme", "policy"), [("https", "none"), ("http", "lax")])
def test_the_cookie_goes_to_other_sites_only_if_pictures_are_embedded_there_and_over_https(
    sessions: Sessions, clock: Clock, scheme: str, policy: str
) -> None:
    login = Login(sessions, Passwords(clock.monotonic), embedded=True)

    answer = Client(Gate(an_app(login), sessions, HOSTS), scheme=scheme).post("/login", ANN)

    assert f"SameSite={policy}" in answer.headers["set-cookie"].split("; ")


@pytest.mark.parametrize("after", ["//evil", "/\\evil", "\\\\evil", "https:evil", "/\r\nSet-Cookie: a=b", ""])
def test_a_login_never_leads_to_another_site(client: Client, after: str) -> None:
    answer = client.post("/login", {**ANN, "next": after})

    assert answer.headers["location"] == "/"
    assert below(client).post("/login", {**ANN, "next": after}).headers["location"] == "/cameras/"


def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(client: Client) -> None:
    wrong = client.post("/login", {"name": "ann", "password": "wrong one", "next": "/stream"})
    unknown = client.post("/login", {"name": "eve", "password": PASSWORD, "next": "/stream"})

    assert wrong.status == unknown.status == 200
    assert shows(wrong, '<p class="error" role="alert">Wrong name or password.</p>')
    assert wrong.text.replace('value="ann"', 'value="eve"') == unknown.text
    assert "required autofocus>" in wrong.text.partition("Password")[2]
    assert "set-cookie" not in wrong.headers


def test_what_was_typed_is_shown_as_text(client: Client) -> None:
    fields = {"name": '"><script>{{error}}', "password": "secret123", "next": "/'\"><b>"}

    answer = client.post("/login", fields)

    assert shows(answer, 'value="&quot;&gt;&lt;script&gt;{{error}}"')
    assert "<b>" not in answer.text
    assert "secret123" not in answer.text


def test_a_failure_is_logged_with_the_address_and_never_the_password(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    client.post("/login", {"name": "ann", "password": "wrong one"})
    client.post("/login", {"name": "wrong one", "password": ""})
    client.post("/login", ANN)

    assert [record.getMessage() for record in caplog.records if record.name == "pipeline.access.login"] == [
        "login failed for ann from 192.0.2.1",
        "login failed for an unknown name from 192.0.2.1",
        "ann logged in from 192.0.2.1",
    ]


def test_after_too_many_failures_the_page_says_how_long_to_wait(client: Client, clock: Clock) -> None:
    for _ in range(6):
        clock.now += 2
        client.post("/login", {"name": "ann", "password": "wrong one"})

    answer = client.post("/login", ANN)

    assert answer.status == 429
    assert answer.headers["retry-after"] == "2"
    assert shows(answer, "Too many attempts. Try again in 2 seconds.")
    clock.now += 2
    assert client.post("/login", ANN).status == 303


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ([b"name=ann&password="], "application/x-www-form-urlencoded; charset=utf-8", 200),
        ([b""], "application/x-www-form-urlencoded", 200),
        ([b"name=%ff%00&password=\xff"], "application/x-www-form-urlencoded", 200),
        ([b"a=1&" * 30], "application/x-www-form-urlencoded", 400),
        ([b"name=" + b"a" * 9000, b"a" * 9000], "application/x-www-form-urlencoded", 413),
        ([b'{"name": "ann"}'], "application/json", 415),
        ([b"--x\r\n"], "multipart/form-data; boundary=x", 415),
    ],
)
@pytest.mark.exceeds("pipeline.access.login._LARGEST")
@pytest.mark.exceeds("pipeline.access.login._MOST_FIELDS")
def test_anything_but_our_form_gets_a_clear_status(
    client: Client, body: list[bytes], kind: str, status: int
) -> None:
    assert client.ask("POST", "/login", {"content-type": kind}, body).status == status


def test_who_goes_away_in_the_middle_of_the_form_breaks_nothing(client: Client) -> None:
    kind = "application/x-www-form-urlencoded"

    assert client.ask("POST", "/login", {"content-type": kind}, []).status == 400


def test_who_has_logged_in_is_not_asked_again(client: Client) -> None:
    cookie = client.post("/login", ANN).cookie

    answer = client.get("/login?next=/stream", cookie=cookie)

    assert (answer.status, answer.headers["location"]) == (303, "/stream")


def test_logging_out_ends_the_session_in_the_browser_and_in_the_server(client: Client) -> None:
    cookie = client.post("/login", ANN).cookie

    answer = client.post("/logout", cookie=cookie)

    assert (answer.status, answer.headers["location"]) == (303, "/login")
    assert answer.cookie == 'streamlens=""'
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert client.get("/api/session", cookie=cookie).status == 401


def test_a_session_does_not_count_until_the_logouts_are_known(client: Client, logouts: Logouts) -> None:
    cookie = client.post("/login", ANN).cookie
    logouts.are_known = False

    answers = [client.get("/api/session", cookie=cookie), client.socket("/ws", cookie=cookie)]
    login = client.post("/login", ANN)

    assert [answer.status for answer in [*answers, login]] == [503, 503, 503]
    assert all(answer.headers["retry-after"] == "5" for answer in [*answers, login])
    assert "logouts" in answers[0].json["detail"]
    assert client.get("/login", cookie=cookie).status == 200
    assert client.get("/api/session", authorization=f"Bearer {TOKEN}").status == 200

    client.post("/logout", cookie=cookie)
    logouts.are_known = True
    assert client.get("/api/session", cookie=cookie).status == 401


def test_a_known_device_logs_in_at_once_whatever_others_try(client: Client) -> None:
    device = client.post("/login", ANN).cookie
    guesses = [
        Client(client.app, f"192.0.2.{number}").post("/login", {"name": "ann", "password": "wrong one"})
        for number in (1, 1, 1, 1, 1, 1, *range(2, 30))
    ]

    assert {guess.status for guess in guesses} == {200, 429}
    assert client.post("/login", ANN).status == 429
    assert client.post("/login", ANN, cookie=device).status == 303
    bobs = {"name": "bob", "password": PASSWORD}
    assert client.post("/login", bobs, cookie=device).status == 429, "it is a known device of ann's only"


def test_logging_out_without_a_session_leads_to_the_login_page(client: Client) -> None:
    assert client.post("/logout").headers["location"] == "/login"
    assert client.get("/logout").status == 405


def test_a_token_identifies_its_user(client: Client) -> None:
    assert client.get("/api/session", authorization=f"Bearer {TOKEN}").json["name"] == "ann"
    assert client.get("/api/session").status == 401


def test_without_users_there_is_nothing_to_log_in_to() -> None:
    client = open_to_all()

    session = client.get("/api/session").json
    assert (session["access"], session.get("name"), session["roles"]) == ("open", None, ["viewer"])
    for answer in (client.get("/login"), client.post("/login", ANN), client.post("/logout")):
        assert (answer.status, answer.headers["location"]) == (303, "/")
