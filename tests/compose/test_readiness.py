"""What parts answer when they are asked whether they are ready."""

import asyncio
import json
import socket
from asyncio import StreamReader, StreamWriter

import pytest

from compose import readiness
from compose.parts import Part
from compose.readiness import model_trouble, service_trouble
from tests.parts import free_port


async def ask(*pieces: bytes, role: str = "video") -> tuple[bytes, str | None]:
    """Ask a part that answers in pieces; return what it was asked, and the trouble found."""
    asked = []

    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        part = Part("x", role, (), port=server.sockets[0].getsockname()[1])  # type: ignore[arg-type]
        trouble = (await readiness.ask(part)).trouble
    return asked[0].split(b"\r\n")[0], trouble


def test_a_service_is_asked_and_its_answer_comes_in_pieces() -> None:
    pieces = (b"HTTP/1.1 503 Service Un", b"available\r\nA: b\r\n\r\nno pic", b"ture\n")

    assert asyncio.run(ask(*pieces)) == (b"GET /readyz HTTP/1.0", "no picture")


def test_a_model_server_is_asked_for_its_model() -> None:
    status = json.dumps({"model_version_status": [{"version": "1", "state": "AVAILABLE"}]})

    asked, trouble = asyncio.run(ask(f"HTTP/1.1 200 OK\r\n\r\n{status}".encode(), role="tfserving"))

    assert (asked, trouble) == (b"GET /v1/models/imagenet HTTP/1.0", None)


def test_cameras_that_do_not_deliver_do_not_keep_a_producer_from_being_ready() -> None:
    body = b"ok\ncamera door: refused the password\ncamera a: b: c\nand 3 more\n"

    async def answer() -> readiness.Answer:
        async def reply(reader: StreamReader, writer: StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + body)
            writer.close()

        async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
            return await readiness.ask(Part("x", "producer", (), port=server.sockets[0].getsockname()[1]))

    found = asyncio.run(answer())

    assert found == readiness.Answer(None, {"door": "refused the password", "a": "b: c"})


@pytest.mark.parametrize("answer", [b"", b"hello", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 OK\r\n\r\n"])
def test_anything_but_http_is_an_error(answer: bytes) -> None:
    with pytest.raises(OSError, match="HTTP"):
        asyncio.run(ask(answer))


def test_no_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_ANSWERING", 0.1)

    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
        asyncio.run(readiness.get(silent.getsockname()[1], "/readyz"))


def test_nothing_listening_is_an_error() -> None:
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(readiness.get(free_port(), "/readyz"))


def test_answers_of_services() -> None:
    assert service_trouble(200, "ok\n") is None
    assert service_trouble(503, "no frame has come\n") == "no frame has come"
    assert service_trouble(500, "") == "answers with 500"


def test_answers_of_model_servers() -> None:
    def status(*states: str) -> str:
        return json.dumps({"model_version_status": [{"version": "1", "state": state} for state in states]})

    assert model_trouble(200, status("AVAILABLE")) is None
    assert model_trouble(200, status("END", "AVAILABLE")) is None
    assert model_trouble(200, status("LOADING")) == "the model is LOADING"
    assert model_trouble(200, status()) == "the model is not there"
    assert model_trouble(404, '{"error": "Could not find any versions"}') == "answers with 404"
    for nonsense in ("", "[]", "5", '{"model_version_status": 3}', '{"model_version_status": [3]}'):
        assert model_trouble(200, nonsense) == "answers with 200"
