"""Free ports, and what parts answer."""

import json
import socket
import time
from collections.abc import Iterator
from threading import Thread

import pytest

from compose.network import Probe, free_ports, trouble_of_model, trouble_of_service
from tests.parts import wait_for


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def ask(server: socket.socket) -> Probe:
    return Probe(server.getsockname()[1], "/readyz")


def reply(server: socket.socket, *pieces: bytes) -> None:
    """Answer one question, piece by piece."""

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(1000)
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(0.05)

    Thread(target=serve).start()


def test_free_ports_differ_and_are_free() -> None:
    ports = free_ports(50)

    assert len(set(ports)) == 50
    socket.create_server(("127.0.0.1", ports[0])).close()


def test_an_answer_comes_in_pieces_and_nobody_waits_for_it(server: socket.socket) -> None:
    probe = ask(server)
    assert probe.answer() is None

    reply(server, b"HTTP/1.1 503 Service Un", b"available\r\nA: b\r\n\r\nno pic", b"ture\n")

    assert wait_for(probe.answer, 10, "the answer") == (503, "no picture\n")
    probe.close()


@pytest.mark.parametrize("answer", [b"", b"hello", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 OK\r\n\r\n"])
def test_what_is_no_http_is_an_error(server: socket.socket, answer: bytes) -> None:
    probe = ask(server)
    reply(server, answer)

    with pytest.raises(OSError, match="no HTTP"):
        wait_for(probe.answer, 10, "the answer")
    probe.close()


def test_no_answer_is_an_error_in_the_end(server: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compose.network._ANSWERING", 0.1)
    probe = ask(server)

    with pytest.raises(OSError, match="no answer"):
        wait_for(probe.answer, 10, "the answer")
    probe.close()


def test_nobody_there_is_an_error() -> None:
    with pytest.raises(OSError, match="refused"):
        Probe(free_ports(1)[0], "/readyz")


def test_what_services_answer() -> None:
    assert trouble_of_service(200, "ok\n") is None
    assert trouble_of_service(503, "no frame has come\n") == "no frame has come"
    assert trouble_of_service(500, "") == "answers with 500"


def test_what_model_servers_answer() -> None:
    def status(*states: str) -> str:
        return json.dumps({"model_version_status": [{"version": "1", "state": state} for state in states]})

    assert trouble_of_model(200, status("AVAILABLE")) is None
    assert trouble_of_model(200, status("END", "AVAILABLE")) is None
    assert trouble_of_model(200, status("LOADING")) == "the model is LOADING"
    assert trouble_of_model(200, status()) == "the model is not there"
    assert trouble_of_model(404, '{"error": "Could not find any versions"}') == "answers with 404"
    for nonsense in ("", "[]", "5", '{"model_version_status": 3}', '{"model_version_status": [3]}'):
        assert trouble_of_model(200, nonsense) == "answers with 200"
