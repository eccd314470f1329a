"""What a proxy tells of its clients, believed of trusted proxies only: `TRUSTEDPROXIES`."""

import ipaddress
from typing import Any, cast

from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware


class ProxyHeaders(ProxyHeadersMiddleware):
    """uvicorn's middleware for the forwarded address and scheme, which takes the forwarded host as well."""

    def __init__(self, app: ASGIApp, trusted: str) -> None:
        super().__init__(cast("Any", app), trusted)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request or a socket."""
        client = scope.get("client")
        if client:
            client = (_plain(client[0]), client[1])
            scope = {**scope, "client": client}
        if client and client[0] in self.trusted_hosts:
            headers = scope["headers"]
            told = [value for name, value in headers if name == b"x-forwarded-host"]
            if told:
                # The last one is of the proxy that we trust; what came before it may be the client's.
                host = told[-1].rpartition(b",")[2].strip()
                headers = [(name, value) for name, value in headers if name != b"host"]
                scope = {**scope, "headers": [*headers, (b"host", host)]}
        await super().__call__(scope, receive, send)


def _plain(address: str) -> str:
    """Return an IPv4 address as such, also where a socket that listens to both kinds has it as IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped) if mapped else address
