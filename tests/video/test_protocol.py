"""How far behind its client a connection is."""

import asyncio
import socket
import sys
from collections.abc import Iterator

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.parts import wait_for
from video.protocol import Protocol, Receiver

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a receiver's window")

KB = 1024


@pytest.fixture
def connection() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The server's and the client's end of a connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    with server, client:
        yield server, client


def read(client: socket.socket, length: int) -> None:
    """Read so many bytes."""
    while length:
        length -= len(client.recv(length))


def test_nothing_is_unread_before_anything_is_sent(
    connection: tuple[socket.socket, socket.socket],
) -> None:
    assert Receiver(connection[0]).unread() == 0


def test_what_the_client_has_not_read_is_noticed_and_forgotten_when_it_reads(
    connection: tuple[socket.socket, socket.socket],
) -> None:
    server, client = connection
    receiver = Receiver(server)
    receiver.unread()

    server.sendall(bytes(90 * KB))
    wait_for(lambda: receiver.unread() > 30 * KB, 20, "the window to shrink")
    read(client, 90 * KB)
    server.sendall(b"!")

    wait_for(lambda: receiver.unread() < 30 * KB, 20, "the window to open")


def test_a_connection_that_is_gone_has_nothing_unread(
    connection: tuple[socket.socket, socket.socket],
) -> None:
    server, _ = connection
    receiver = Receiver(server)
    server.close()

    assert receiver.unread() == 0


def test_a_system_that_does_not_tell_counts_as_nothing_unread(
    connection: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("video.protocol._TCP_INFO", None)

    assert Receiver(connection[0]).unread() == 0


def test_what_a_client_does_not_read_is_not_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = []

    class Transport(asyncio.Transport):
        def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
            limits.append((high, low))

    monkeypatch.setattr(HttpToolsProtocol, "connection_made", lambda *_: None)

    Protocol.__new__(Protocol).connection_made(Transport())

    assert limits == [(0, None)]
