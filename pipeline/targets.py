"""Which addresses a service may connect to when somebody else names them: a camera, a web server, DNS.

A name is looked up once, and the address that was checked is the one connected to. Otherwise a name could
stand for another address the second time (DNS rebinding).
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from pipeline.service.values import Address

METADATA: Final = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254",  # most clouds
            *("169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"),  # Amazon
            "fd20:ce::254",  # Google
            "168.63.129.16",  # Azure
            "100.100.100.200",  # Alibaba
            "192.0.0.192",  # Oracle
            "fe80::a9fe:a9fe",  # OpenStack
        ),
    )
)
"""Where clouds give their machines secrets."""

_SHORTEST: Final = 0.01  # s to connect to an address
_THIS_NETWORK: Final = IPv4Network("0.0.0.0/8")
# RFC 6052, RFC 8215, and the obsolete form of RFC 4291, 2.5.5.1.
_EMBEDDING: Final = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))


class TargetError(OSError):
    """None of a host's addresses may be connected to. The text names one, and why."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What may be connected to: most addresses, also private ones.

    Addresses of clouds' metadata and of our own `services` are never allowed. Addresses of this machine and
    link-local ones are allowed only if they are among the `hosts`, which the operator has written in
    `setting`; a name does not allow them, since others decide what it stands for. The cluster's services are
    allowed by name as well.
    """

    hosts: frozenset[str]
    services: tuple[Address, ...]
    setting: str

    def connect(self, host: str, port: int, timeout: float | None) -> socket.socket:
        """Connect to a host; raise `TargetError` if it is not allowed, or another `OSError`.

        The host's addresses share the `timeout` in s.
        """
        addresses, failure = self.addresses(host, port), OSError("it has no address")
        until = None if timeout is None else time.monotonic() + timeout
        for place, address in enumerate(addresses):
            left = len(addresses) - place
            share = None if until is None else max(_SHORTEST, (until - time.monotonic()) / left)
            try:
                connection = socket.create_connection((address, port), share)
            except OSError as error:
                failure = error if place == 0 else failure
            else:
                connection.settimeout(timeout)
                return connection
        raise failure

    def addresses(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host that may be connected to; raise `TargetError` if there are none.

        Raises `socket.gaierror` or `UnicodeError` for an unknown name.
        """
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(with_zone(*place) for *_, place in found))
        is_named = host.lower().rstrip(".") in self.hosts
        refusals = [self._refusal(address, port, is_named=is_named) for address in addresses]
        if all(refusals):
            raise TargetError(refusals[0])
        return [address for address, refusal in zip(addresses, refusals, strict=True) if not refusal]

    def refusal(self, host: str, port: int) -> str | None:
        """Return why an address may not be connected to, in a few words; None for a name, or if it may."""
        with suppress(ValueError):
            return self._refusal(host, port, is_named=False)
        return None

    def _refusal(self, text: str, port: int, *, is_named: bool) -> str | None:
        written = _without_zone(text)
        address = _plain(written)
        if isinstance(written, IPv6Address) and written.ipv4_mapped:
            text = str(written.ipv4_mapped)
        if not METADATA.isdisjoint((written, address)):
            return f"{text}, where a cloud keeps its metadata"
        if any(service.port == port and _is_at(address, service.host) for service in self.services):
            return f"port {port} of {text}, a service of Streamlens itself"
        if self._is_written(written):
            return None
        kind = _kind(address)
        if kind is None and not is_named and str(address) in _cluster():
            kind = "a service of the cluster"
        return kind and f"{text}, {kind}: if that is meant, write this address in {self.setting}"

    def _is_written(self, address: IPv4Address | IPv6Address) -> bool:
        for host in self.hosts:
            if address.is_loopback and (host == "localhost" or host.endswith(".localhost")):
                return True
            with suppress(ValueError):
                if _without_zone(host) == address:
                    return True
        return False


def with_zone(address: str, _port: int, _flow: int = 0, zone: int = 0) -> str:
    """Return the address of a socket as text: a link-local one is in a zone, an interface's number."""
    return f"{address}%{zone}" if zone else address


def _without_zone(text: str) -> IPv4Address | IPv6Address:
    return ip_address(text.partition("%")[0])


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 address leads to, if it does; and what stands for this machine."""
    if isinstance(address, IPv6Address) and address.packed[:15].strip(b"\0"):
        found = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if found is None and any(address in network for network in _EMBEDDING):
            found = IPv4Address(address.packed[12:])
        address = found or address
    if address.is_unspecified:
        return ip_address("127.0.0.1" if address.version == 4 else "::1")
    return address


def _kind(address: IPv4Address | IPv6Address) -> str | None:
    """Return what is special about an address that only the operator may name."""
    if address.is_loopback:
        return "an address of this machine"
    if address.is_link_local:
        return "a link-local address"
    if address.is_multicast:
        return "a multicast address"
    if isinstance(address, IPv4Address) and (address.is_reserved or address in _THIS_NETWORK):
        return "a reserved address"
    if str(address) == os.environ.get("KUBERNETES_SERVICE_HOST"):
        return "the cluster's API"
    return None


def _cluster() -> list[str]:
    """Return the addresses of the cluster's services, as far as Kubernetes injects them."""
    return [value for name, value in os.environ.items() if name.endswith("_SERVICE_HOST")]


def _is_at(address: IPv4Address | IPv6Address, host: str) -> bool:
    """Return whether a service that listens at a host, or everywhere if it is empty, is at an address."""
    if host in ("", "0.0.0.0", "::"):  # noqa: S104
        return _is_own(address)
    return address in _looked_up(host)


def _looked_up(host: str) -> Iterator[IPv4Address | IPv6Address]:
    with suppress(OSError, UnicodeError):
        for *_, place in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM):
            yield _plain(_without_zone(str(place[0])))


def _is_own(address: IPv4Address | IPv6Address) -> bool:
    """Return whether this machine has an address: it then sends from there to there."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((str(address), 9))  # nothing is sent
        return _without_zone(str(probe.getsockname()[0])) == address
    return False
