"""What services answer, and what else may come."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final

import pytest

from pipeline.flow.ledger import Ledger
from pipeline.ledger import answer
from pipeline.ledger.answer import Run, UnansweredError, ask, ask_all, parse
from pipeline.ledger.directory import Process
from tests.parts import free_port

EMPTY: Final[dict[str, Any]] = {
    "in": 0,
    "out": 0,
    "dropped": {},
    "pending": 0,
    "read": {},
    "wrote": {},
    "again": 0,
}

WRONG: Final[list[dict[str, Any]]] = [
    {"in": -1},
    {"in": True},
    {"out": 1.5},
    {"dropped": {"late": "x"}},
    {"read": {"a": {"age": 1e999, "ranges": []}}},
    {"read": {"a": {"age": 0, "ranges": [[1, 2]]}}},
    {"read": {"a": {"age": 0, "ranges": [[3, 2, 0]]}}},
    {"wrote": {"a": {"age": 0, "ranges": [[0, 2, 0], [2, 3, 0]]}}},
    {"wrote": {"a": []}},
]


def at(port: int) -> Process:
    return Process("consumer", "host-1", f"127.0.0.1:{port}")


class Server(HTTPServer):
    """Answers everything in the same way."""

    status, body = 200, b""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def why(process: Process) -> str:
    with pytest.raises(UnansweredError) as caught:
        ask(process)
    return str(caught.value)


def test_a_service_answers_what_its_ledger_has_counted(server: Server) -> None:
    ledger = Ledger()
    ledger.began()
    ledger.came("yard: gate/left", "a", 3)
    ledger.came("yard: gate/left", "a", 5)
    ledger.went("yard: gate/left", 0.1, "b", 0)
    ledger.dropped("yard: gate/left", "replaced")
    server.body = json.dumps(ledger.runs()).encode()

    found = ask(at(server.server_port))

    assert found.began is not None
    [(name, counted)] = found.cameras.items()
    assert name == "yard: gate/left"
    assert (counted.came, counted.went, counted.dropped, counted.pending) == (2, 1, {"replaced": 1}, 0)
    assert counted.read["a"].ranges == ((3, 3, True), (5, 5, False))
    assert isinstance(counted.wrote["b"], Run)


def test_what_does_not_answer_is_named(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "_TIMEOUT", 0.05)
    refused = at(free_port())
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hangs = at(silent.getsockname()[1])
        server.body = b'{"began": null, "cameras": {}}'
        answers, unanswered = ask_all([refused, hangs, at(server.server_port)])

    assert [each.process for each in answers] == [at(server.server_port)]
    assert {process: (str(error), error.has_ended) for process, error in unanswered.items()} == {
        refused: ("nothing listens there", True),
        hangs: ("it did not answer within 0.05 s", False),
    }


@pytest.mark.parametrize("piece", [b"x", b"HTTP/1.1 200 OK\r\n\r\n["])
def test_an_answer_that_trickles_in_is_given_up(monkeypatch: pytest.MonkeyPatch, piece: bytes) -> None:
    monkeypatch.setattr(answer, "_COMPLETE", 0.5)
    gone = threading.Event()

    def trickle() -> None:
        client, _ = listener.accept()
        with client, suppress(OSError):
            client.sendall(piece)
            while not gone.wait(0.05):
                client.sendall(b" ")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=trickle)
        thread.start()
        text = why(at(listener.getsockname()[1]))
        gone.set()
        thread.join()

    assert text == "its answer was not complete after 0.5 s"


@pytest.mark.parametrize("health", ["", "nonsense", "host:99999"])
def test_a_service_without_an_address_is_not_asked(health: str) -> None:
    assert why(Process("video", "host-1", health)) == "it reports no address of its HEALTHPORT"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (404, "it is an older version, which does not answer /ledger/runs: update it"),
        (503, "it answered with status 503"),
    ],
)
def test_other_answers_are_named(server: Server, status: int, text: str) -> None:
    server.status = status

    assert why(at(server.server_port)) == text


@pytest.mark.exceeds("pipeline.ledger.answer.LARGEST_ANSWER")
def test_an_answer_that_is_too_large_is_not_read(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "LARGEST_ANSWER", 100)
    server.body = bytes(101)

    assert why(at(server.server_port)) == "it answered with more than 100 bytes"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        b'{"door": {"in": 1, "out": 1, "dropped": {}, "pending": 0}}',
        b'{"began": "x", "cameras": {}}',
        b'{"began": null, "cameras": []}',
        json.dumps({"began": 1, "cameras": {"a\nb": EMPTY}}).encode(),
        *(json.dumps({"began": 1, "cameras": {"door": {**EMPTY, **each}}}).encode() for each in WRONG),
    ],
)
def test_other_formats_are_named(body: bytes) -> None:
    with pytest.raises(UnansweredError, match="it answers in another format: run the same version"):
        parse(at(1), body)


def test_reasons_are_short_lines() -> None:
    fields = {**EMPTY, "in": 1, "dropped": {"a\nb" + "c" * 100: 1}}

    found = parse(at(1), json.dumps({"began": None, "cameras": {"door": fields}}).encode())

    [reason] = found.cameras["door"].dropped
    assert len(reason) == 40
    assert "\n" not in reason
