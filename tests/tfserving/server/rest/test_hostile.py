"""Clients that send too much, too slowly, or nothing, next to one that sends an ordinary request."""

import gzip
import json
import select
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from tests.networks import MANY_ADDRESSES
from tests.parts import wait_for
from tfserving.server import held
from tfserving.server.monitoring.monitoring import Monitor
from tfserving.server.rest import asgi, protocol, serve
from tfserving.server.rest.application import RestApi

HEAD = b"POST /v1/models/m:predict HTTP/1.1\r\nHost: a\r\n"
PATIENCE = 20.0


class Server:
    """A server with two threads that answers with the length of a body; with "wait", once it may."""

    def __init__(self, stack: ExitStack, timeout: float = PATIENCE) -> None:
        executor = stack.enter_context(ThreadPoolExecutor(2))
        listener = stack.enter_context(serve.bind(0))
        self.monitor = Monitor()
        self.has_begun, self.may_end = threading.Semaphore(0), threading.Event()
        self.address = "127.0.0.1", listener.getsockname()[1]
        self.api = RestApi(self._answer, executor, timeout=timeout, monitor=self.monitor)
        server = serve.HttpServer(self.api, listener, threading.Event())
        server.start()
        stack.callback(server.join, PATIENCE)
        stack.callback(server.stop)

    def connect(self, *pieces: bytes) -> socket.socket:
        """Send the beginning of a request."""
        client = socket.create_connection(self.address, timeout=PATIENCE)
        with suppress(ConnectionError):
            for piece in pieces:
                client.sendall(piece)
        return client

    def ask(self, *pieces: bytes) -> tuple[int, Any]:
        """Return the status and the text of the answer to a request."""
        with self.connect(*pieces) as client:
            return received(client)

    def _answer(self, _: object, body: bytes) -> bytes:
        if body == b"wait":
            self.has_begun.release()
            assert self.may_end.wait(PATIENCE)
        return b"%d" % len(body)


def received(client: socket.socket) -> tuple[int, Any]:
    """Return the status and the JSON of an answer; 0 if the connection is closed without one."""
    head, _, body = _all(client).partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]) if head else 0, json.loads(body) if body else None


def _all(client: socket.socket) -> bytes:
    data = b""
    with suppress(ConnectionError):
        while more := client.recv(65536):
            data += more
            head, _, body = data.partition(b"\r\n\r\n")
            length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length: ")]
            if length and len(body) >= int(length[0].split()[1]):
                break
    return data


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def server(stack: ExitStack) -> Server:
    return Server(stack)


def good(server: Server) -> bool:
    return server.ask(HEAD + b"Content-Length: 3\r\n\r\nabc") == (200, 3)


@pytest.mark.exceeds("tfserving.server.rest.asgi.LARGEST_BODY")
@pytest.mark.parametrize("size", [asgi.LARGEST_BODY + 1, 2**62])
def test_a_body_that_is_declared_too_long_is_refused_before_it_is_sent(server: Server, size: int) -> None:
    status, answer = server.ask(HEAD + b"Content-Length: %d\r\n\r\n" % size)

    assert status == 413
    assert answer == {"error": f"The request is longer than 32 MiB: {size} bytes"}
    assert b'status="RESOURCE_EXHAUSTED"} 1\n' in server.monitor.text()
    assert good(server)


def test_a_client_that_sends_a_refused_body_all_the_same_gets_the_answer(server: Server) -> None:
    size = asgi.LARGEST_BODY + 1

    assert server.ask(HEAD + b"Content-Length: %d\r\n\r\n" % size, bytes(size))[0] == 413


def test_chunks_without_end_are_refused(server: Server) -> None:
    chunk = b"100000\r\n" + bytes(1 << 20) + b"\r\n"

    assert server.ask(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 33)[0] == 413
    assert good(server)


def test_a_body_that_unpacks_to_too_much_is_refused(server: Server) -> None:
    body = gzip.compress(bytes(asgi.LARGEST_BODY + 1))

    status, answer = server.ask(
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body), body
    )

    assert (status, "too large" in answer["error"]) == (400, True)


def test_a_body_that_never_arrives_is_given_up(stack: ExitStack) -> None:
    server = Server(stack, timeout=0.3)

    status, answer = server.ask(HEAD + b"Content-Length: 10\r\n\r\nabc")

    assert (status, answer) == (408, {"error": "The request did not arrive within 0.3 s"})


def body(size: int, begin: bytes = b"") -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % size + begin.ljust(size, b"x")


@pytest.fixture
def few_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all large bodies be 1000 bytes, and those large that have more than 100."""
    monkeypatch.setattr(held, "MOST_HELD", 1000)
    monkeypatch.setattr(held, "SMALL", 100)


@pytest.mark.usefixtures("few_bytes")
@pytest.mark.exceeds("tfserving.server.held.MOST_HELD")
def test_the_largest_of_too_many_bodies_is_given_up(server: Server) -> None:
    for size, expected in (601, (200, 601)), (602, (503, {"error": held.TOO_MANY})):
        with server.connect(body(400)[:-1]) as small:
            wait_for(lambda: server.api._held.size == 399, PATIENCE, "the small body")

            assert server.ask(body(size)) == expected
            small.sendall(b"x")
            assert received(small) == (200, 400)


@pytest.mark.usefixtures("few_bytes")
def test_large_bodies_that_wait_give_way_to_others(stack: ExitStack, server: Server) -> None:
    busy = [stack.enter_context(server.connect(body(4, b"wait"))) for _ in range(2)]
    for _ in busy:
        assert server.has_begun.acquire(timeout=PATIENCE)
    large = [stack.enter_context(server.connect(body(600 + each))) for each in range(5)]
    wait_for(lambda: len(select.select(large, [], [], 0)[0]) == 4, PATIENCE, "four answers")

    small = stack.enter_context(server.connect(body(100)))
    server.may_end.set()

    assert {received(each) for each in busy} == {(200, 4)}
    assert received(small) == (200, 100)
    assert sorted(received(each)[0] for each in large) == [200, 503, 503, 503, 503]


def test_a_client_that_goes_away_frees_its_body(stack: ExitStack, server: Server) -> None:
    busy = [stack.enter_context(server.connect(body(4, b"wait"))) for _ in range(2)]
    for _ in busy:
        assert server.has_begun.acquire(timeout=PATIENCE)
    client = server.connect(body(held.SMALL + 1))
    wait_for(lambda: server.api._held.size == held.SMALL + 1, PATIENCE, "the body")

    client.close()

    wait_for(lambda: server.api._held.size == 0, PATIENCE, "the end of the body")
    server.may_end.set()


@pytest.mark.exceeds("tfserving.server.rest.protocol.LONGEST_HEAD")
def test_a_head_without_end_is_refused(server: Server) -> None:
    assert server.ask(HEAD + b"X: " + b"x" * 70_000)[0] == 431
    assert good(server)


@pytest.mark.exceeds("tfserving.server.rest.protocol.MOST_PIPELINED")
def test_a_thousand_requests_at_once_are_refused(stack: ExitStack, server: Server) -> None:
    client = stack.enter_context(server.connect())
    client.sendall((HEAD + b"Content-Length: 3\r\n\r\nabc") * 1_000)
    answers = b""
    with suppress(ConnectionError):
        while data := client.recv(65536):
            answers += data

    assert answers.count(b"HTTP/1.1 200 ") <= 17
    assert answers.count(b"HTTP/1.1 400 ") <= 1
    assert good(server)


@pytest.mark.exceeds("tfserving.server.rest.protocol.LONGEST_HEAD_TIME")
@pytest.mark.parametrize("beginning", [b"", b"\r\n\r\n", HEAD])
def test_a_head_that_never_arrives_is_given_up(
    server: Server, monkeypatch: pytest.MonkeyPatch, beginning: bytes
) -> None:
    monkeypatch.setattr(protocol, "LONGEST_HEAD_TIME", 0.2)

    assert server.ask(beginning) == (0, None)


def test_each_request_of_a_connection_has_the_time_and_the_length_for_its_head(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = HEAD + b"X: " + b"x" * 40_000 + b"\r\nContent-Length: 3\r\n\r\nabc"
    with server.connect(long) as client:
        assert received(client) == (200, 3)
        client.sendall(long)
        assert received(client) == (200, 3)
        monkeypatch.setattr(protocol, "LONGEST_HEAD_TIME", 0.2)
        client.sendall(b"\r\n")

        assert received(client) == (0, None)


@MANY_ADDRESSES
@pytest.mark.usefixtures("few_bytes")
def test_the_bodies_of_another_client_do_not_give_way(stack: ExitStack, server: Server) -> None:
    other = stack.enter_context(socket.create_connection(server.address, PATIENCE, ("127.0.0.2", 0)))
    other.sendall(body(400)[:-1])
    wait_for(lambda: server.api._held.size == 399, PATIENCE, "its body")
    many = [stack.enter_context(server.connect(body(300)[:-1])) for _ in range(5)]
    wait_for(lambda: len(select.select(many, [], [], 0)[0]) == 3, PATIENCE, "three answers")

    other.sendall(b"x")

    assert received(other) == (200, 400)


@pytest.mark.exceeds("tfserving.server.rest.protocol.MOST_CONNECTIONS")
def test_idle_connections_give_way(stack: ExitStack, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "LONGEST_HEAD_TIME", 600.0)
    idle = [stack.enter_context(server.connect()) for _ in range(protocol.MOST_CONNECTIONS + 20)]

    assert good(server)
    assert received(idle[0]) == (0, None)


@MANY_ADDRESSES
def test_the_connections_of_another_client_do_not_give_way(
    stack: ExitStack, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "LONGEST_HEAD_TIME", 600.0)
    other = stack.enter_context(socket.create_connection(server.address, PATIENCE, ("127.0.0.2", 0)))
    for _ in range(protocol.MOST_CONNECTIONS + 20):
        stack.enter_context(server.connect())

    other.sendall(body(3))

    assert received(other) == (200, 3)


@pytest.mark.exceeds("tfserving.server.rest.protocol.LONGEST_UNREAD")
def test_an_answer_that_nobody_reads_is_given_up(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "LONGEST_UNREAD", 0.2)
    monkeypatch.setattr(Server, "_answer", lambda *_: bytes(30 << 20))
    ended, end = threading.Event(), protocol.RestProtocol.connection_lost

    def connection_lost(self: protocol.RestProtocol, error: Exception | None) -> None:
        end(self, error)
        ended.set()

    monkeypatch.setattr(protocol.RestProtocol, "connection_lost", connection_lost)
    stack.enter_context(Server(stack).connect(HEAD + b"Content-Length: 3\r\n\r\nabc"))

    assert ended.wait(PATIENCE)
