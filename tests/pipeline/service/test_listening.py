"""Sockets that listen over IPv4 and IPv6, and what connects to them."""

import socket

import pytest

from pipeline.service.listening import listen
from pipeline.service.values import Address
from tests.networks import MANY_ADDRESSES


def connects(host: str, listener: socket.socket) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as client:
        client.settimeout(20)
        return client.connect_ex((host, listener.getsockname()[1])) == 0


@MANY_ADDRESSES
def test_without_a_host_every_address_of_ipv4_is_listened_on() -> None:
    with listen(Address("", 0)) as listener:
        assert connects("127.0.0.1", listener)
        assert connects("127.0.0.2", listener)


def test_without_ipv6_ipv4_is_listened_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.has_dualstack_ipv6", lambda: False)

    with listen(Address("", 0)) as listener:
        assert listener.family == socket.AF_INET
        assert connects("127.0.0.1", listener)


@pytest.mark.parametrize("host", ["", "::"])
def test_ipv6_is_listened_on_together_with_ipv4(host: str, ipv6: str) -> None:
    with listen(Address(host, 0)) as listener:
        assert connects(ipv6, listener)
        assert connects("127.0.0.1", listener)


def test_one_address_of_ipv6_is_listened_on(ipv6: str) -> None:
    with listen(Address(ipv6, 0)) as listener:
        assert connects(ipv6, listener)
        assert not connects("127.0.0.1", listener)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_an_address_of_ipv4_is_not_listened_on_over_ipv6(host: str, ipv6: str) -> None:
    with listen(Address(host, 0)) as listener:
        assert connects("127.0.0.1", listener)
        assert not connects(ipv6, listener)


def test_a_name_with_addresses_of_both_kinds_means_ipv4() -> None:
    with listen(Address("localhost", 0)) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_several_may_share_a_port() -> None:
    with listen(Address("", 0), share=True) as first:
        port = first.getsockname()[1]

        listen(Address("", port), share=True).close()

        with pytest.raises(OSError, match="Address already in use"):
            listen(Address("", port))


def test_a_port_that_another_uses_for_ipv4_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(OSError, match="in use"):
        listen(Address("", other.getsockname()[1]))
