"""A server over TLS: renewals, plain HTTP on its port, clients that never finish their handshake."""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from pipeline.flow.ledger import Ledger
from pipeline.http import tls_listener
from pipeline.http.server import WebServer, listen
from pipeline.http.tls import Certificate
from pipeline.service.values import Address
from pipeline.service.workers import Pulse
from tests.networks import MANY_ADDRESSES
from tests.parts import wait_for
from tests.video.conftest import CONNECTIONS, LIMITS, a_site
from tests.video.http.test_connections import refused
from tests.video.http.test_tls import elliptic, files, make, one, put  # noqa: F401
from video.cameras.cameras import Cameras

pytestmark = pytest.mark.outside


def failed(reason: str) -> float:
    """Return how many connections failed for this reason."""
    return REGISTRY.get_sample_value("streamlens_tls_failed_total", {"reason": reason}) or 0


@pytest.fixture
def port(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:  # noqa: F811
    """The port of a server that looks at its certificate all the time."""
    monkeypatch.setattr("pipeline.http.server._RENEW_EVERY", 0.01)
    cameras, pulse = Cameras(LIMITS, Ledger()), Pulse(threading.Event())
    listener = listen(Address("127.0.0.1", 0))
    web = WebServer(a_site(cameras, tls=True), listener, CONNECTIONS, Certificate(*files))
    thread = threading.Thread(target=web.run, args=(pulse,), name="web", daemon=True)
    thread.start()
    wait_for(lambda: cameras._loop, 20, "the server")
    yield listener.getsockname()[1]
    pulse.stopping.set()
    thread.join(20)
    web.close()
    assert not thread.is_alive()


def trusts(port: int, trusted: Path) -> bool:
    """Ask over TLS; return whether the server shows this certificate."""
    context = ssl.create_default_context(cafile=trusted)
    connection = http.client.HTTPSConnection("localhost", port, timeout=20, context=context)
    try:
        connection.request("GET", "/api/session")
        return connection.getresponse().status == 200
    except (ssl.SSLError, ConnectionError):
        return False
    finally:
        connection.close()


def test_open_connections_stay_and_new_ones_get_the_new_certificate(
    port: int,
    files: tuple[Path, Path],  # noqa: F811
    one: tuple[Path, Path],  # noqa: F811
    elliptic: tuple[Path, Path],  # noqa: F811
) -> None:
    context = ssl.create_default_context(cafile=one[0])
    early = http.client.HTTPSConnection("localhost", port, timeout=20, context=context)
    early.connect()

    put(files, elliptic)

    wait_for(lambda: trusts(port, elliptic[0]), 20, "the new certificate")
    assert not trusts(port, one[0])
    early.request("GET", "/api/session")
    assert early.getresponse().status == 200
    early.close()


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x00", b"\xff" * 1000])
def test_whatever_is_not_tls_is_told_to_use_https(port: int, sent: bytes) -> None:
    before = failed("not TLS")
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(sent)

        answer = client.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"https://" in answer
    assert failed("not TLS") == before + 1


def test_a_client_that_leaves_or_breaks_its_handshake_harms_nobody(port: int, one: tuple[Path, Path]) -> None:  # noqa: F811
    before = failed("handshake")
    for sent in b"", b"\x16", b"\x16\x03\x01\x00\x05hello", b"\x16" + bytes(5000):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(sent)

    wait_for(lambda: failed("handshake") > before, 20, "the failures")
    assert trusts(port, one[0])


@pytest.mark.exceeds("pipeline.http.tls_listener._MOST")
def test_connections_without_a_handshake_make_room(
    port: int,
    one: tuple[Path, Path],  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tls_listener, "_MOST", 3)
    before = failed("too many")

    idle = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(6)]

    assert trusts(port, one[0])
    assert idle[0].recv(1) == b""
    assert failed("too many") - before >= 3
    for each in idle:
        each.close()


@MANY_ADDRESSES
def test_the_network_with_the_most_connections_makes_room(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_listener, "_PATIENCE", 600.0)
    monkeypatch.setattr(tls_listener, "_MOST", 4)
    monkeypatch.setattr(tls_listener, "network_of", lambda address: address)  # an own network for each
    before = failed("too many")

    idle = [
        socket.create_connection(("127.0.0.1", port), 20, (source, 0))
        for source in ("127.0.0.2", *["127.0.0.3"] * 6)
    ]

    wait_for(lambda: failed("too many") - before >= 3, 20, "three to make room")
    assert [each.recv(1) for each in idle[1:4]] == [b""] * 3
    idle[0].setblocking(False)
    with pytest.raises(BlockingIOError):
        idle[0].recv(1)
    for each in idle:
        each.close()


@MANY_ADDRESSES
def test_one_address_gets_only_so_many_with_and_before_a_handshake(
    port: int,
    one: tuple[Path, Path],  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tls_listener, "_PATIENCE", 600.0)
    monkeypatch.setattr(CONNECTIONS, "_per_address", 2)
    monkeypatch.setattr(CONNECTIONS, "_is_exempt", lambda _: False)
    context, before = ssl.create_default_context(cafile=one[0]), refused("too many from one address")
    place = ("127.0.0.1", port)

    with context.wrap_socket(socket.create_connection(place, 20), server_hostname="localhost") as greeted:
        greeted.sendall(b"GET /api/session HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert greeted.recv(13) == b"HTTP/1.1 200 "
        with socket.create_connection(place, 20) as silent:
            with socket.create_connection(place, 20) as third:
                assert third.recv(1) == b""
            assert refused("too many from one address") == before + 1
            other = socket.create_connection(place, 20, ("127.0.0.2", 0))
            context.wrap_socket(other, server_hostname="localhost").close()
            silent.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert silent.recv(9) == b"HTTP/1.1 "

    wait_for(lambda: trusts(port, one[0]), 20, "their places")


@pytest.mark.exceeds("pipeline.http.tls_listener._PATIENCE")
def test_a_connection_that_stays_silent_is_closed(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_listener, "_PATIENCE", 0.05)
    before = failed("too slow")

    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        assert client.recv(1) == b""

    assert failed("too slow") == before + 1
