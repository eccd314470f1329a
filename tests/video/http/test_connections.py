"""How many connections may be open."""

from types import SimpleNamespace

import pytest
from prometheus_client import REGISTRY

from tests.parts import wait_for
from tests.video.fakes import Site
from video.http.connections import Connections

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


def test_a_connection_that_is_one_too_many_is_closed_at_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Connections, "refuse", lambda *_: True)
        with pytest.raises(ConnectionError):
            site.get("/api/session")

    wait_for(lambda: site.get("/api/session")[0] == 200, 20, "an answer")
