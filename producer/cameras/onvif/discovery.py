"""Finds ONVIF cameras with WS-Discovery (the version of April 2005, which ONVIF's core specification uses).

One datagram asks, and each camera answers with its addresses and scopes. What an answer says about addresses
is not trusted: a camera is where its answer comes from.
"""

import ipaddress
import re
import select
import socket
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from pipeline.service.values import Address
from pipeline.wire.text import readable
from producer.cameras.errors import CommandError
from producer.cameras.onvif.xml import AnswerError, parsed

MOST_DEVICES: Final = 1_000
"""Cameras that one search finds."""

MOST_ADDRESSES: Final = 4_096
"""Addresses of a network that are asked one by one."""

LONGEST_SCOPE: Final = 100
"""The greatest length of a camera's name or model, in characters."""

_GROUP: Final = "239.255.255.250"
_PORT: Final = 3702
_DATAGRAM: Final = 65_536  # bytes of a datagram
_SCOPE: Final = "onvif://www.onvif.org/"
_SERVICE: Final = "/onvif/device_service"
_PROBE: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"'
    ' xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header><w:MessageID>{id}</w:MessageID>'
    '<w:To e:mustUnderstand="true">urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>'
    '<w:Action e:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action>'
    "</e:Header><e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A camera that has answered: its address, the path of its device service, and what it says it is."""

    address: Address
    path: str = _SERVICE
    is_tls: bool = False
    name: str = ""
    model: str = ""

    @property
    def url(self) -> str:
        """The URL of its device service."""
        return f"{'https' if self.is_tls else 'http'}://{self.address}{self.path}"


def search(network: str | None, seconds: float) -> list[Found]:
    """Return the cameras that answer within some seconds, sorted by address.

    They are asked by multicast or, if a network or an address is given, one by one. Raises `CommandError`.
    """
    hosts = [_GROUP] if network is None else list(_hosts(network))
    family = socket.AF_INET6 if ":" in hosts[0] else socket.AF_INET
    number = f"urn:uuid:{uuid.uuid4()}"
    probe = _PROBE.format(id=number).encode()
    found: dict[Address, Found] = {}
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        until = time.monotonic() + seconds
        _send(asking, hosts, probe, must=network is None)
        is_repeated = False  # datagrams get lost
        while (left := until - time.monotonic()) > 0 and len(found) < MOST_DEVICES:
            if not is_repeated and left < 0.75 * seconds:
                _send(asking, hosts, probe, must=False)
                is_repeated = True
            if not select.select([asking], [], [], min(left, 0.1))[0]:
                continue
            with suppress(OSError, AnswerError):  # a host without cameras, or an answer of another kind
                data, (host, *_) = asking.recvfrom(_DATAGRAM)
                for each in matches(data, str(host), number):
                    found.setdefault(each.address, each)
    return sorted(found.values(), key=lambda each: each.address)


def matches(data: bytes, host: str, number: str) -> Iterator[Found]:
    """Yield the cameras in an answer from a host to the question with a number; raise `AnswerError`."""
    root = parsed(data)
    if not any((each.text or "").strip() == number for each in _all(root, "RelatesTo")):
        return
    for match in _all(root, "ProbeMatch"):
        scopes = [scope for text in _texts(match, "Scopes") for scope in text.split()]
        addresses = [address for text in _texts(match, "XAddrs") for address in text.split()]
        yield _found(host, addresses, scopes)


def _found(host: str, addresses: Sequence[str], scopes: Sequence[str]) -> Found:
    places = [place for text in addresses if (place := _place(text))]
    # With several addresses, such as one of IPv6, the one that answered; otherwise only the path counts.
    own = [place for place in places if place[0] == host]
    _, port, path, is_tls = (own or places or [(host, 80, _SERVICE, False)])[0]
    name, model = (_scope(scopes, kind) for kind in ("name", "hardware"))
    return Found(Address(host, port), path, is_tls, name, model)


def _place(url: str) -> tuple[str, int, str, bool] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not url.isascii() or not url.isprintable():
        return None
    is_tls = parts.scheme == "https"
    return parts.hostname or "", port or (443 if is_tls else 80), parts.path or _SERVICE, is_tls


def _scope(scopes: Sequence[str], kind: str) -> str:
    for scope in scopes:
        if scope.startswith(f"{_SCOPE}{kind}/"):
            return readable(unquote(scope.rpartition("/")[2]))[:LONGEST_SCOPE]
    return ""


def _all(root: Any, name: str) -> Any:
    return root.iter("{*}" + name)


def _texts(root: Any, name: str) -> Iterator[str]:
    return (each.text for each in _all(root, name) if each.text)


def _send(asking: socket.socket, hosts: Sequence[str], probe: bytes, *, must: bool) -> None:
    for host in hosts:
        try:
            asking.sendto(probe, (host, _PORT))
        except OSError as error:
            if must:
                raise CommandError(
                    f"no multicast from here ({error.strerror}): name a network, such as"
                    " --network 192.168.1.0/24"
                ) from None


def _hosts(network: str) -> Iterator[str]:
    try:
        if "/" in network:
            whole = ipaddress.ip_network(network, strict=False)
            if whole.num_addresses > MOST_ADDRESSES:
                raise CommandError(
                    f"--network {network!r}: expected at most {MOST_ADDRESSES} addresses, such as"
                    " 192.168.1.0/24"
                )
            yield from map(str, whole.hosts())
        elif re.fullmatch("[0-9.]+", network):
            yield str(ipaddress.IPv4Address(network))  # the resolver would complete 1.2.3 to 1.2.0.3
        else:
            yield str(socket.getaddrinfo(network.strip("[]"), _PORT, type=socket.SOCK_DGRAM)[0][4][0])
    except (ValueError, OSError):
        place = f"--network {network[:80]!r}"
        if re.fullmatch(r"(?=.*[a-z])[\w.-]+", network, re.IGNORECASE):
            raise CommandError(
                f"{place}: the host name is unknown: write its address, or check the name with ping"
            ) from None
        raise CommandError(
            f"{place}: expected an address, a host name, or a network such as 192.168.1.0/24"
        ) from None
