"""Sockets that listen, over IPv4 and IPv6."""

import socket
from typing import Final

from pipeline.service.values import Address

_BACKLOG: Final = 1024


def listen(address: Address, *, share: bool = False) -> socket.socket:
    """Return a listening socket; raise OSError if the address is taken, or is not one of this machine.

    Without a host, it accepts connections over IPv4 and IPv6, or over IPv4 only on a machine without IPv6.
    With `share`, several processes may listen on the address: the kernel distributes the connections.
    """
    host = address.host or ("::" if socket.has_dualstack_ipv6() else "0.0.0.0")  # noqa: S104
    found = socket.getaddrinfo(host, address.port, type=socket.SOCK_STREAM)
    # A name such as localhost may have addresses of both kinds.
    family, _, _, _, place = min(found, key=lambda each: each[0] != socket.AF_INET)
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(place)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
