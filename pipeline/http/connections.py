"""How many connections may be open: in total, and from one address."""

import ipaddress
import logging
from collections.abc import Collection
from functools import lru_cache
from typing import Any, Final

from prometheus_client import Counter

from pipeline.service.logs import Seldom
from pipeline.service.networks import network_of

log = logging.getLogger(__name__)

_PER_CLIENT: Final = 2  # a page has its WebSocket and, while it loads, more
_network_of = lru_cache(maxsize=4096)(network_of)  # it is asked about all open connections for each new one

REFUSED = Counter("streamlens_connections_refused", "Connections closed because of a limit", ["reason"])
"""Counts connections by the limit that they exceeded."""


class Connections:
    """Allows two connections for each of `clients`, and `per_address` from one address.

    An IPv6 subscriber's network counts as one address. This machine, by its loopback addresses, and the
    `proxies`, which connect for many, may open any number.
    """

    def __init__(self, clients: int, per_address: int, proxies: str = "") -> None:
        self._most = _PER_CLIENT * clients
        self._per_address = per_address
        self._proxies = [ipaddress.ip_network(each) for each in proxies.split(",") if each]
        self._seldom = Seldom(log)

    def refuse(
        self, client: tuple[str, int] | None, among: Collection[Any], greeting: Collection[str] = ()
    ) -> bool:
        """Return whether a client's new connection is one too many.

        It is `among` those open now, or one of those before the end of their TLS handshake: `greeting` has
        the network of each.
        """
        if len(among) > self._most:
            self._report("too many", f"more than {self._most} connections are open: raise MAXCLIENTS")
            return True
        if client is None or len(among) + len(greeting) <= self._per_address or self._is_exempt(client[0]):
            return False
        network = _network_of(client[0])
        same = sum(each.client is not None and _network_of(each.client[0]) == network for each in among)
        same += sum(each == network for each in greeting)
        if same <= self._per_address:
            return False
        self._report(
            "too many from one address",
            f"more than {self._per_address} connections from {network}: raise MAXPERADDRESS, or name it in"
            " TRUSTEDPROXIES if it is a proxy",
        )
        return True

    def _is_exempt(self, text: str) -> bool:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return address.is_loopback or any(address in network for network in self._proxies)

    def _report(self, reason: str, text: str) -> None:
        REFUSED.labels(reason).inc()
        self._seldom.warning(reason, text)
