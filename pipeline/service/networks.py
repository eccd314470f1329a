"""What clients are counted by: what they cannot change at will."""

import ipaddress
from typing import Final

_LONGEST: Final = 64  # characters of an address as a proxy reports it


def network_of(address: str) -> str:
    """Return a client's key: its IPv4 address, or the /64 network that an IPv6 subscriber usually has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:_LONGEST]
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed.packed[:8] + bytes(8), 64)))
