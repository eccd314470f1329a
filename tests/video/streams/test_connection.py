"""A client's connection: how far behind the client is, what is kept for it, what it may ask."""

import asyncio
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace

import pytest

from pipeline.http.connection import Connection, Receiver
from tests.clock import Clock
from tests.parts import wait_for
from tests.video.fakes import Site, a_frame

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a receiver's window")

KB = 1024
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


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


def test_what_the_clients_kernel_has_no_room_for_is_under_way_until_the_client_reads(
    connection: tuple[socket.socket, socket.socket],
) -> None:
    server, client = connection
    server.setblocking(False)
    receiver, sent = Receiver(server), 0
    with suppress(BlockingIOError):
        while True:
            sent += server.send(bytes(90 * KB))

    before = receiver.under_way()
    read(client, sent)

    assert before > 0
    wait_for(lambda: receiver.under_way() == 0, 20, "the client's kernel to have everything")


def test_a_connection_that_is_gone_has_nothing_unread(
    connection: tuple[socket.socket, socket.socket],
) -> None:
    server, _ = connection
    receiver = Receiver(server)
    server.close()

    assert (receiver.unread(), receiver.under_way()) == (0, 0)


def test_a_system_that_does_not_tell_counts_as_nothing_unread(
    connection: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.http.connection._TCP_INFO", None)

    receiver = Receiver(connection[0])
    assert (receiver.unread(), receiver.under_way()) == (0, 0)


class Transport(asyncio.Transport):
    """Notes what it is asked for."""

    def __init__(self, end: socket.socket) -> None:
        super().__init__({"socket": end})
        self.limits: tuple[int | None, int | None] | None = None
        self.written: list[bytes] = []
        self.closing = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.limits = (high, low)

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.written.append(data)

    def is_closing(self) -> bool:
        return self.closing


def test_what_a_client_does_not_read_is_not_kept_in_memory(
    connection: tuple[socket.socket, socket.socket],
) -> None:
    transport = Transport(connection[0])

    ours = Connection(transport)
    ours.begin()
    ours.lost()

    assert transport.limits == (1, None)


def test_nothing_is_written_to_a_connection_that_closes(
    connection: tuple[socket.socket, socket.socket],
) -> None:
    transport = Transport(connection[0])
    ours = Connection(transport)

    ours.write(b"1")
    transport.closing = True
    ours.write(b"2")
    ours.lost()

    assert transport.written == [b"1"]


def test_it_reports_how_long_it_has_been_full_and_when_there_is_room(
    connection: tuple[socket.socket, socket.socket], clock: Clock
) -> None:
    ours = Connection(Transport(connection[0]))
    room: list[float] = []
    ours.on_room = lambda: room.append(clock.now)

    ours.filled()
    clock.now += 7
    stuck = ours.stuck(clock.now)
    ours.drained()
    again = ours.stuck(clock.now)
    ours.lost()
    ours.drained()

    assert (stuck, again) == (7, 0)
    assert room == [clock.now]
    assert ours.gone.is_set()


def test_a_window_that_shrank_for_good_is_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("pipeline.http.connection.time", SimpleNamespace(monotonic=lambda: clock[0]))

    class Window(socket.socket):
        size = 500 * KB

        def getsockopt(self, *_: int) -> bytes:  # type: ignore[override]
            return bytes(228) + self.size.to_bytes(4, sys.byteorder)

    with Window() as window:
        receiver = Receiver(window)
        assert receiver.unread() == 0
        window.size = 60 * KB
        assert receiver.unread() == 440 * KB
        for seconds in (31.0, 45.0, 62.0):
            clock[0] = seconds
            receiver.unread()

        assert receiver.unread() == 0


@pytest.mark.exceeds("pipeline.http.protocol._LONGEST_HEAD")
def test_a_head_without_end_is_refused(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: " + b"x" * 70_000)
        client.settimeout(20)

        assert client.recv(1000).startswith(b"HTTP/1.1 431 ")


def test_a_long_head_that_comes_at_once_is_refused(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70_000 + b"\r\n\r\n")
        client.settimeout(20)

        assert client.recv(1000).startswith(b"HTTP/1.1 431 ")


def test_the_head_is_measured_without_the_body(site: Site) -> None:
    head = b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        client.sendall(head + bytes(200_000) + b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
        client.settimeout(20)
        answers = b""
        while answers.count(b"HTTP/1.1 404 ") + answers.count(b"HTTP/1.1 405 ") < 2:
            answers += client.recv(10_000) or pytest.fail(f"{answers!r}")


@pytest.mark.exceeds("pipeline.http.protocol._MOST_PIPELINED")
def test_a_thousand_requests_at_once_are_refused(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        client.sendall(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000)
        client.settimeout(20)
        answers = b""
        with suppress(ConnectionError):
            while data := client.recv(100_000):
                answers += data

    assert answers.count(b"HTTP/1.1 404 ") <= 17
    assert answers.count(b"HTTP/1.1 400 ") <= 1
    assert site.get("/nothing")[0] == 404


@pytest.mark.exceeds("pipeline.http.protocol._HEAD_TIMEOUT")
def test_a_request_that_is_never_whole_is_given_up(monkeypatch: pytest.MonkeyPatch, site: Site) -> None:
    monkeypatch.setattr("pipeline.http.protocol._HEAD_TIMEOUT", 0.2)
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost")
        client.settimeout(20)

        assert client.recv(1000) == b""


def test_a_stream_outlives_the_time_for_its_request(monkeypatch: pytest.MonkeyPatch, site: Site) -> None:
    monkeypatch.setattr("pipeline.http.protocol._HEAD_TIMEOUT", 0.3)
    site.show(a_frame(1))
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        client.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        client.settimeout(20)
        wait_for(lambda: b"X-Seq: 1" in client.recv(100_000), 20, "the first frame")
        time.sleep(0.5)
        site.show(a_frame(2))

        wait_for(lambda: b"X-Seq: 2" in client.recv(100_000), 20, "a frame after the timeout")


def test_what_a_client_asks_during_its_stream_is_not_answered(site: Site) -> None:
    site.show(a_frame(1))
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        client.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        client.settimeout(20)
        wait_for(lambda: b"X-Seq: 1" in client.recv(100_000), 20, "the first frame")
        client.sendall(b"GET /api/cameras HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50)
        site.show(a_frame(2))

        answer = wait_for(lambda: client.recv(100_000), 20, "the next frame")

    assert b"HTTP/1.1" not in answer
    wait_for(lambda: len(site.web.clients._open) == 0, 20, "its end to be noticed")


def test_a_client_of_http_1_0_gets_no_chunks(site: Site) -> None:
    site.show(a_frame(1))
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        client.sendall(b"GET /stream HTTP/1.0\r\n\r\n")
        client.settimeout(20)
        answer = b""
        while b"X-Seq: 1\r\n" not in answer:
            answer += client.recv(100_000)

    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert body.startswith(b"--frame\r\nContent-Type: image/jpeg\r\n")


def test_pings_of_a_client_that_reads_no_answers_fill_no_memory(site: Site) -> None:
    ping = bytes((0x89, 0x80 | 125, 0, 0, 0, 0)) + bytes(125)
    site.show(a_frame(1, jpeg=bytes(1_000_000)))
    watch = b'{"type": "watch", "cameras": {"door": 0}}'
    with site.connect("/ws", 4_096, **UPGRADE) as client:
        assert client.recv(12) == b"HTTP/1.1 101"
        client.sendall(bytes((0x81, 0x80 | len(watch), 0, 0, 0, 0)) + watch)
        wait_for(lambda: any(each.full for each in site.web.clients._open), 20, "the picture that fills it")
        (ours,) = site.web.clients._open
        before = ours._transport.get_write_buffer_size()

        for _ in range(200):
            client.sendall(ping * 100)
        site.sync()

        assert ours._transport.get_write_buffer_size() <= before
