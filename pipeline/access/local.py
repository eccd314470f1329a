"""Whether a request comes from the server's own machine."""

import ipaddress
import re
from typing import Final

from pipeline.access.origin import Headers, values

LOCAL: Final = "streamlens.local"
"""Where the scope says whether the request comes from this machine; set by `ProxyHeaders`."""

_LOCALHOST: Final = re.compile(r"(?:[\w-]+\.)*localhost\.?", re.ASCII | re.IGNORECASE)
_HOST: Final = re.compile(r"\[([0-9a-fA-F:.]+)\](?::\d*)?|([\w.-]+)(?::\d*)?", re.ASCII)
# What proxies add for the client that they stand in for, each by its own habit.
_FORWARDED: Final = (
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-proto",
    b"x-forwarded-port",
    b"x-forwarded-server",
    b"x-real-ip",
    b"x-client-ip",
    b"true-client-ip",
    b"cf-connecting-ip",
    b"forwarded",
    b"via",
)


def is_local(peer: str, headers: Headers, *, is_proxy: bool) -> bool:
    """Return whether the client is a program on this machine; `peer` is the address that has connected.

    A trusted proxy (`is_proxy`) has to say so of every client on the way. Any other peer must be on loopback,
    ask for a name of loopback, and not show signs of a proxy, whose clients could be anywhere.
    """
    if is_proxy:
        reported = ",".join(values(headers, b"x-forwarded-for")).split(",")
        return all(_is_loopback(each.strip()) for each in reported)
    if not _is_loopback(peer) or any(values(headers, name) for name in _FORWARDED):
        return False
    return all(_names_loopback(host) for host in values(headers, b"host"))


def _names_loopback(host: str) -> bool:
    found = _HOST.fullmatch(host)
    name = (found[1] or found[2]) if found else ""
    return _LOCALHOST.fullmatch(name) is not None or _is_loopback(name)


def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback
