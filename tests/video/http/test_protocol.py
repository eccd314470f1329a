"""Sockets and connections that clients misuse, against a real server."""

import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.parts import wait_for
from tests.video.fakes import Site, a_frame
from video.cameras.camera import Camera

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c3RyZWFtbGVucy1zdHJlYQ==\r\n"
)
LONG = b"".join(b"X-%d: y\r\n" % number for number in range(200))


def frame(opcode: int, payload: bytes) -> bytes:
    """Return a short masked frame, with a mask of zeros."""
    return bytes([0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0]) + payload


def opened(site: Site) -> socket.socket:
    """Return a socket after its handshake."""
    client = socket.create_connection(("127.0.0.1", site.port), timeout=20)
    client.sendall(HANDSHAKE + b"\r\n")
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(1)
    assert head.startswith(b"HTTP/1.1 101 ")
    return client


@pytest.mark.parametrize("extra", [LONG, b"X: " + b"y" * 20_000 + b"\r\n", b"Content-Length: 5\r\n"])
def test_a_handshake_that_will_not_do_is_answered(site: Site, extra: bytes) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=5) as client:
        client.sendall(HANDSHAKE + extra + b"\r\n")

        assert client.recv(9) == b"HTTP/1.1 "
        client.settimeout(20)
        while client.recv(65_536):
            pass


@pytest.mark.parametrize(
    "start", [b"GET /api/session HTTP/1.1\r\n", HANDSHAKE.replace(b"Host: localhost\r\n", b"")]
)
@pytest.mark.parametrize("hosts", [b"", b"Host: localhost\r\nHost: localhost\r\n"])
def test_a_request_without_a_host_or_with_two_is_refused(site: Site, start: bytes, hosts: bytes) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as client:
        client.sendall(start + hosts + b"\r\n")
        answer = b""
        while piece := client.recv(65_536):
            answer += piece

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"expected one Host header, found " in answer


def test_a_request_of_http_1_0_needs_no_host(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as client:
        client.sendall(b"GET /api/session HTTP/1.0\r\n\r\n")

        assert client.recv(65_536).split(b" ")[1] == b"200"


def test_a_text_that_is_not_utf_8_ends_the_socket_without_a_traceback(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(site) as client:
        client.sendall(frame(1, b"{") + frame(1, b"\xff") * 5)
        while client.recv(65_536):
            pass

    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_refused_socket_is_not_logged_as_an_error(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    with (
        pytest.raises(InvalidStatus),
        connect(f"ws://127.0.0.1:{site.port}/ws", origin=Origin("http://evil")),
    ):
        pass
    site.sync()

    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_flood_of_messages_holds_up_nobody_else(site: Site) -> None:
    site.show(a_frame())
    flood = frame(1, b'{"type":"ack","id":1,"number":1}') * 20_000
    with opened(site) as client:
        client.setblocking(False)
        longest, until = 0.0, time.monotonic() + 3
        while time.monotonic() < until:
            with suppress(BlockingIOError):
                client.send(flood)
            begun = time.monotonic()
            assert site.get("/snapshot/door.jpg")[0] == 200
            longest = max(longest, time.monotonic() - begun)

    assert longest < 2.5


def test_empty_lines_do_not_keep_a_connection(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.http.protocol._HEAD_TIMEOUT", 1.0)
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as client:
        client.sendall(b"GET /api/session HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_for(lambda: client.recv(65_536), 20, "the answer")
        client.settimeout(0.2)

        def ended() -> bool:
            client.sendall(b"\r\n")
            try:
                return client.recv(1) == b""
            except TimeoutError:
                return False

        wait_for(ended, 20, "the end")


@pytest.mark.exceeds("pipeline.http.protocol._UNREAD_TIMEOUT")
def test_a_response_that_nobody_reads_does_not_stay_forever(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.http.protocol._UNREAD_TIMEOUT", 1.0, raising=False)
    site.show(a_frame(jpeg=bytes(8_000_000)))
    before = files()
    with site.connect("/snapshot/door.jpg", 4_096):
        wait_for(lambda: files() > before + 1, 20, "the connection")

        wait_for(lambda: files() == before + 1, 30, "its end")


def test_a_request_is_answered_once_the_answer_before_it_has_been_read(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = 0
    find = site.cameras.get

    def get(name: str) -> Camera | None:
        nonlocal answered
        answered += 1
        return find(name)

    picture = bytes(8_000_000)
    site.show(a_frame(jpeg=picture))
    monkeypatch.setattr(site.cameras, "get", get)
    with site.connect("/snapshot/door.jpg", 4_096) as client:
        client.sendall(b"GET /snapshot/door.jpg HTTP/1.1\r\nHost: localhost\r\n\r\n" * 4)
        wait_for(lambda: answered, 20, "the first answer")
        for _ in range(5):
            assert site.get("/api/session")[0] == 200
        before_reading = answered

        body = client.makefile("rb")
        lengths = [len(body.read(length)) for length in lengths_of(body, 5)]

    assert before_reading == 1
    assert lengths == [len(picture)] * 5


def lengths_of(answers: BinaryIO, count: int) -> Iterator[int]:
    """Read the heads of answers; yield the length of each body, which the caller reads."""
    for _ in range(count):
        while line := answers.readline().strip():
            name, _, value = line.partition(b":")
            if name == b"content-length":
                length = int(value)
        yield length


def files() -> int:
    """Return how many files this process has open."""
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.exceeds("pipeline.http.websocket._MOST_FRAGMENTS")
def test_a_message_in_endless_pieces_ends_the_socket(site: Site) -> None:
    with opened(site) as client:
        client.sendall(bytes((0x01, 0x80, 0, 0, 0, 0)) + bytes((0x00, 0x80, 0, 0, 0, 0)) * 100)
        answer = b""
        while piece := client.recv(65_536):
            answer += piece

    assert bytes((1009 >> 8, 1009 & 0xFF)) in answer
