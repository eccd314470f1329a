"""How many connections may be open."""

import http.client
import socket
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from prometheus_client import REGISTRY

from pipeline.http.connections import Connections
from tests.networks import MANY_ADDRESSES
from tests.parts import wait_for
from tests.video.conftest import CONNECTIONS
from tests.video.fakes import Site
from tests.video.http.test_protocol import opened

ANY = ("192.0.2.7", 1)


def refused(reason: str) -> float:
    """Return how many connections were refused."""
    return REGISTRY.get_sample_value("streamlens_connections_refused_total", {"reason": reason}) or 0


def some(*addresses: str) -> list[SimpleNamespace]:
    return [SimpleNamespace(client=(address, 1)) for address in addresses]


def test_there_are_two_connections_for_each_client(caplog: pytest.LogCaptureFixture) -> None:
    connections, before = Connections(3, 100), refused("too many")
    full = some(*(f"192.0.2.{number}" for number in range(6)))

    assert not connections.refuse(ANY, full)
    assert connections.refuse(ANY, full + some("192.0.2.7"))

    assert refused("too many") == before + 1
    assert "MAXCLIENTS" in caplog.text


@pytest.mark.exceeds("video.settings.VideoSettings.maxperaddress")
@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7"])
def test_one_address_gets_only_so_many(address: str, caplog: pytest.LogCaptureFixture) -> None:
    connections, before = Connections(100, 3), refused("too many from one address")
    others = some("198.51.100.1", "2001:db8:1::1")

    assert not connections.refuse((address, 1), some(address, address, address) + others)
    assert connections.refuse((address, 1), some(address, address, address, address) + others)

    assert refused("too many from one address") == before + 1
    assert "MAXPERADDRESS" in caplog.text


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.2", "10.1.2.3", "::ffff:10.1.2.3"])
def test_proxies_and_this_machine_connect_for_many(address: str) -> None:
    connections = Connections(100, 1, "10.0.0.0/8,fd00::1")

    assert not connections.refuse((address, 1), some(*[address] * 50))
    assert not connections.refuse(None, [*some(address), SimpleNamespace(client=None)])


@pytest.fixture
def two(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[socket.socket]]:
    """Two connections that stay open, of which one has become a WebSocket."""
    monkeypatch.setattr(CONNECTIONS, "_is_exempt", lambda _: False)
    with opened(site) as one, socket.create_connection(("127.0.0.1", site.port), timeout=20) as other:
        other.sendall(b"GET /api/session HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert other.recv(13) == b"HTTP/1.1 200 "
        yield [one, other]


@MANY_ADDRESSES
@pytest.mark.parametrize(
    ("limit", "reason"), [("_per_address", "too many from one address"), ("_most", "too many")]
)
def test_a_connection_that_is_one_too_many_is_closed_until_another_has_ended(
    site: Site, two: list[socket.socket], monkeypatch: pytest.MonkeyPatch, limit: str, reason: str
) -> None:
    monkeypatch.setattr(CONNECTIONS, limit, 3)
    assert answers(site, "127.0.0.1")
    monkeypatch.setattr(CONNECTIONS, limit, 2)
    before = refused(reason)

    assert not answers(site, "127.0.0.1")
    assert refused(reason) == before + 1
    assert answers(site, "127.0.0.2") == (limit == "_per_address")
    for each in two:
        each.close()
    wait_for(lambda: answers(site, "127.0.0.1"), 20, "a place")


def answers(site: Site, source: str) -> bool:
    """Return whether the server answers a request from this address."""
    connection = http.client.HTTPConnection("127.0.0.1", site.port, 20, source_address=(source, 0))
    try:
        connection.request("GET", "/api/session")
        return connection.getresponse().status == 200
    except ConnectionError:
        return False
    finally:
        connection.close()
