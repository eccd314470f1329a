"""Requests end within the deadline, whatever the server does."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from consumer.labels.download import download
from pipeline.model_server import connection
from pipeline.model_server.errors import ModelError
from pipeline.model_server.login import NO_LOGIN, Login
from tests.consumer.fakes import Answer, Connection, Request, ScriptedServer, hang, reply
from tests.parts import free_port

SOON = 0.3  # s, for what is to run into the deadline
LONG = 10.0  # s, for what is not
AWHILE = 2.0  # s, where the one does and the next does not
PATH = "/v1/models/imagenet:predict"
URL_OF_NOBODY = "http://127.0.0.1:{}"


def ask(server: ScriptedServer, timeout: float = LONG) -> bytes:
    """Ask a server once."""
    return Connection(server.base, timeout).ask(PATH, b"question")


def raw(*pieces: bytes) -> Answer:
    """Write these bytes and close the connection."""

    def answer(request: Request, _: bytes) -> None:
        for piece in pieces:
            request.wfile.write(piece)
        request.close_connection = True

    return answer


def test_a_request_is_sent_unchanged_and_its_answer_returned() -> None:
    with ScriptedServer(reply(200, b'{"predictions": []}')) as server:
        text = ask(server)

    assert text == b'{"predictions": []}'
    assert server.bodies == [b"question"]


def test_an_empty_answer_is_an_answer() -> None:
    with ScriptedServer(reply(200, b"")) as server:
        assert ask(server) == b""


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_any_other_status_is_an_error_named_after_it(status: int) -> None:
    with (
        ScriptedServer(reply(status, b'{"error": "no such model"}')) as server,
        pytest.raises(ModelError, match="no such model") as caught,
    ):
        ask(server)

    assert caught.value.kind == f"http_{status}"


def test_a_redirection_is_not_followed_wherever_it_points() -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: http://[nowhere\r\nContent-Length: 0\r\n\r\n"

    with ScriptedServer(raw(head)) as server, pytest.raises(ModelError) as caught:
        ask(server)

    assert caught.value.kind == "http_302"
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    "pieces",
    [
        (b"\x00\x01 this is no HTTP\r\n\r\n",),
        (b"",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x" * 70_000, b"\r\n\r\n"),
    ],
)
def test_an_incomplete_answer_is_broken(pieces: tuple[bytes, ...]) -> None:
    with ScriptedServer(raw(*pieces)) as server, pytest.raises(ModelError) as caught:
        ask(server)

    assert caught.value.kind == "broken"


@pytest.mark.exceeds("consumer.settings.ConsumerSettings.modeltimeout")
def test_a_server_that_never_answers_is_given_up() -> None:
    with (
        ScriptedServer(hang) as server,
        pytest.raises(ModelError, match=r"no answer within 0\.3 s") as caught,
    ):
        ask(server, SOON)

    assert caught.value.kind == "timeout"


def test_a_server_that_never_reads_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(ModelError) as caught:
        Connection(URL_OF_NOBODY.format(listener.getsockname()[1]), SOON).ask(PATH, bytes(50_000_000))

    assert caught.value.kind in {"timeout", "broken"}


@pytest.mark.parametrize(
    ("before", "trickle", "after"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", b"a", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n", b"0\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"a", b""),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", b"\r\n"),
    ],
    ids=["of known length", "in chunks", "up to its end", "in its head"],
)
def test_an_answer_that_trickles_in_is_given_up(before: bytes, trickle: bytes, after: bytes) -> None:
    written = []

    def answer(request: Request, _: bytes) -> None:
        request.wfile.write(before)
        for number in range(500):
            request.wfile.write(trickle)
            written.append(number)
            server.released.wait(0.02)
        request.wfile.write(after)
        request.close_connection = True

    with ScriptedServer(answer) as server:
        with pytest.raises(ModelError) as caught:
            ask(server, SOON)
        before_release = len(written)

    assert caught.value.kind == "timeout"
    assert before_release < 500


@pytest.mark.parametrize(
    "asked",
    [
        lambda base: Connection(base, SOON).ask(PATH, b"question"),
        lambda base: download(base + "/labels.json", SOON),
    ],
    ids=["model", "labels"],
)
def test_a_handshake_that_trickles_in_is_given_up(asked: Callable[[str], object]) -> None:
    sent, has_ended = list[int](), threading.Event()

    def trickle() -> None:
        client = listener.accept()[0]
        with client, suppress(OSError):
            client.sendall(b"\x16\x03\x03\x40\x00")  # a part of the handshake, of 16 KiB
            while len(sent) < 500 and not has_ended.wait(0.02):
                client.sendall(b"\x02")
                sent.append(1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=trickle)
        thread.start()
        with pytest.raises(ModelError) as caught:
            asked(f"https://127.0.0.1:{listener.getsockname()[1]}")
        before_end = len(sent)
        has_ended.set()
        thread.join()

    assert caught.value.kind == "timeout"
    assert before_end < 500


@pytest.mark.exceeds("pipeline.model_server.connection.LARGEST_ANSWER")
def test_an_answer_that_is_too_long_is_given_up() -> None:
    def answer(request: Request, _: bytes) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _piece in range(50):
            request.wfile.write(bytes(1_000_000))

    with ScriptedServer(answer) as server, pytest.raises(ModelError, match="longer than") as caught:
        ask(server, 60)

    assert caught.value.kind == "too_large"


def test_a_login_is_sent_with_each_request(tmp_path: Path) -> None:
    logins, token = list[str | None](), tmp_path / "token"

    def answer(request: Request, body: bytes) -> None:
        logins.append(request.headers["Authorization"])
        reply(200, b"{}")(request, body)

    with ScriptedServer(answer) as server:
        for login in (NO_LOGIN, Login(user="me", password="pässword"), Login(token="abc")):
            Connection(server.base, LONG, login).ask(PATH, b"question")
        rotating = Connection(server.base, LONG, Login(token_file=str(token)))
        for text in ("one\n", "two\n"):
            token.write_text(text)
            rotating.ask(PATH, b"question")

    assert logins == [None, "Basic bWU6cMOkc3N3b3Jk", "Bearer abc", "Bearer one", "Bearer two"]


@pytest.mark.parametrize(
    ("text", "reason"), [(None, "No such file"), ("one\ntwo", "one line"), ("\x00", "line")]
)
def test_a_login_that_cannot_be_read_is_reported(tmp_path: Path, text: str | None, reason: str) -> None:
    token = tmp_path / "token"
    if text is not None:
        token.write_text(text)

    with ScriptedServer(reply(200, b"{}")) as server, pytest.raises(ModelError, match=reason) as caught:
        Connection(server.base, LONG, Login(token_file=str(token))).ask(PATH, b"question")

    assert caught.value.kind == "login"
    assert not server.bodies


def test_an_answer_that_asks_for_a_login_says_which_options_give_one() -> None:
    with ScriptedServer(reply(401, b"who are you")) as server, pytest.raises(ModelError) as caught:
        ask(server, LONG)

    assert "user and password, or token_file" in str(caught.value)


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(ModelError) as caught:
        Connection(URL_OF_NOBODY.format(free_port()), LONG).ask(PATH, b"question")

    assert caught.value.kind == "unreachable"
    assert str(caught.value) == "cannot connect: Connection refused"


def test_an_unknown_host_is_unreachable() -> None:
    with pytest.raises(ModelError) as caught:
        Connection("http://nobody.invalid", LONG).ask(PATH, b"question")

    assert caught.value.kind == "unreachable"


def test_an_impossible_host_name_is_broken() -> None:
    with pytest.raises(ModelError) as caught:
        Connection("http://a..b", LONG).ask(PATH, b"question")

    assert caught.value.kind == "broken"


def test_questions_share_a_connection_also_after_an_error() -> None:
    with ScriptedServer(reply(200, b"1"), reply(500, b"no"), reply(200, b"3"), reply(200, b"")) as server:
        client = Connection(server.base, LONG)
        first = client.ask(PATH, b"a")
        with pytest.raises(ModelError):
            client.ask(PATH, b"b")
        rest = [client.ask(PATH, b"c"), client.ask(PATH, b"d")]

    assert [first, *rest] == [b"1", b"3", b""]
    assert len(set(server.connections)) == 1


def test_a_connection_that_the_server_closed_is_opened_again() -> None:
    def answer(request: Request, _: bytes) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        request.close_connection = True

    with ScriptedServer(answer) as server:
        client = Connection(server.base, LONG)
        answers = [client.ask(PATH, b"a"), client.ask(PATH, b"b")]

    assert answers == [b"ok", b"ok"]
    assert len(set(server.connections)) == 2


def leave(request: Request, _: bytes) -> None:
    """Close the connection without an answer."""
    request.close_connection = True


def test_servers_that_shut_down_are_asked_twice_more() -> None:
    with ScriptedServer(reply(200, b"one"), leave, leave, reply(200, b"another")) as server:
        client = Connection(server.base, LONG)
        answers = [client.ask(PATH, b"a"), client.ask(PATH, b"b")]

    assert answers == [b"one", b"another"]
    assert server.bodies == [b"a", b"b", b"b", b"b"]
    assert server.connections[0] == server.connections[1]
    assert len(set(server.connections)) == 3


def test_each_time_that_a_lost_connection_is_made_again_is_reported() -> None:
    reconnects = list[int]()
    answers = (leave, reply(200, b"a"), leave, leave, leave, reply(200, b"b"), hang, reply(200, b"c"))
    with ScriptedServer(*answers) as server:
        client = Connection(server.base, AWHILE, reconnected=lambda: reconnects.append(len(server.bodies)))
        client.ask(PATH, b"a")
        with pytest.raises(ModelError):
            client.ask(PATH, b"nobody answers")
        client.ask(PATH, b"b")
        with pytest.raises(ModelError):
            client.ask(PATH, b"too late")
        client.ask(PATH, b"c")

    assert reconnects == [1, 3, 4, 5, 7]


def test_a_server_that_is_there_at_last_is_not_connected_to_again() -> None:
    reconnects, port = list[None](), free_port()
    client = Connection(URL_OF_NOBODY.format(port), LONG, reconnected=lambda: reconnects.append(None))
    with pytest.raises(ModelError):
        client.ask(PATH, b"a")

    with ScriptedServer(reply(200, b"ok"), port=port):
        client.ask(PATH, b"b")

    assert reconnects == []


def test_a_server_that_always_leaves_is_asked_three_times() -> None:
    with ScriptedServer(leave) as server, pytest.raises(ModelError) as caught:
        ask(server)

    assert caught.value.kind == "broken"
    assert len(server.bodies) == 3


def test_kept_connections_that_have_been_closed_are_replaced() -> None:
    with ScriptedServer(reply(200, b"ok")) as first, ScriptedServer(reply(200, b"ok")) as second:
        clients = [Connection(server.base, LONG) for server in (first, first, second)]
        for client in clients:
            client.ask(PATH, b"a")
        first.close_connections()

        assert [client.ask(PATH, b"b") for client in clients] == [b"ok"] * 3

    assert len(set(first.connections)) == 4
    assert len(set(second.connections)) == 1


def test_after_the_deadline_the_request_is_not_sent_again() -> None:
    with ScriptedServer(reply(200, b""), hang) as server:
        client = Connection(server.base, SOON)
        client.ask(PATH, b"a")
        with pytest.raises(ModelError) as caught:
            client.ask(PATH, b"b")

    assert caught.value.kind == "timeout"
    assert server.bodies == [b"a", b"b"]


def test_a_late_answer_is_not_taken_for_the_next() -> None:
    def late(request: Request, _: bytes) -> None:
        server.released.wait(60)
        reply(200, b"late")(request, b"")

    with ScriptedServer(late, reply(200, b"second"), reply(200, b"third")) as server:
        client = Connection(server.base, AWHILE)
        with pytest.raises(ModelError):
            client.ask(PATH, b"first")
        second = client.ask(PATH, b"second")
        server.released.set()
        third = client.ask(PATH, b"third")

    assert (second, third) == (b"second", b"third")
    assert server.bodies == [b"first", b"second", b"third"]


def test_the_rest_of_an_unfinished_answer_is_not_taken_for_the_next() -> None:
    def halting(request: Request, _: bytes) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf")
        request.wfile.flush()
        server.released.wait(60)
        request.wfile.write(b"of an answer....")

    with ScriptedServer(halting, reply(200, b"second")) as server:
        client = Connection(server.base, AWHILE)
        with pytest.raises(ModelError) as caught:
            client.ask(PATH, b"first")
        second = client.ask(PATH, b"second")

    assert caught.value.kind == "timeout"
    assert second == b"second"


def test_a_connection_is_replaced_after_its_lifetime(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(reply(200, b"")) as server:
        reconnects = list[None]()
        client = Connection(server.base, LONG, reconnected=lambda: reconnects.append(None))
        client.ask(PATH, b"a")
        client.ask(PATH, b"b")
        monkeypatch.setattr(connection, "LIFETIME", 0.0)
        client.ask(PATH, b"c")

    first, second, third = server.connections
    assert first == second != third
    assert reconnects == []


def test_a_request_without_a_body_is_a_get() -> None:
    methods = []

    def answer(request: Request, _: bytes) -> None:
        methods.append(f"{request.command} {request.path}")
        reply(200, b"")(request, b"")

    with ScriptedServer(answer) as server:
        Connection(server.base, LONG).ask("/v1/models/imagenet")

    assert methods == ["GET /v1/models/imagenet"]


def test_a_redirection_to_elsewhere_is_not_followed() -> None:
    with ScriptedServer(reply(200, b"elsewhere")) as other:
        head = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"

        with ScriptedServer(raw(head % other.url.encode())) as server, pytest.raises(ModelError) as caught:
            ask(server)

    assert caught.value.kind == "http_307"
    assert other.bodies == []


def test_the_environments_proxies_and_passwords_are_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    passwords = []

    def answer(request: Request, _: bytes) -> None:
        passwords.append(request.headers["Authorization"])
        reply(200, b"answer")(request, b"")

    with ScriptedServer(answer) as server:
        assert ask(server) == b"answer"

    assert passwords == [None]


def test_a_connection_can_be_used_again_after_it_was_closed() -> None:
    with ScriptedServer(reply(200, b"answer")) as server:
        client = Connection(server.base, LONG)
        client.ask(PATH, b"a")
        client.close()

        assert client.ask(PATH, b"b") == b"answer"
