"""The `X-Forwarded-*` headers of trusted proxies: `TRUSTEDPROXIES`."""

import ipaddress
from typing import Any, Final, cast

from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from pipeline.access.local import LOCAL, is_local
from pipeline.access.origin import values

DIRECT_HOST: Final = "streamlens.direct_host"
"""Where the scope has the `Host` header of a request whose host was forwarded."""


class ProxyHeaders(ProxyHeadersMiddleware):
    """uvicorn's middleware for the forwarded address and scheme, extended to the forwarded host.

    A proxy may pass on a forwarded host that a page of another site has made up, so the original one is kept.
    """

    def __init__(self, app: ASGIApp, trusted: str) -> None:
        super().__init__(cast("Any", app), trusted)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request or a socket."""
        client = scope.get("client")
        if client:
            client = (_plain(client[0]), client[1])
            local = is_local(client[0], scope["headers"], is_proxy=client[0] in self.trusted_hosts)
            scope = {**scope, "client": client, LOCAL: local}
        if client and client[0] in self.trusted_hosts:
            headers = scope["headers"]
            hosts = [value for name, value in headers if name == b"x-forwarded-host"]
            if hosts:
                # The last one is from the trusted proxy; the client may have sent those before it.
                host = hosts[-1].rpartition(b",")[2].strip()
                direct = values(headers, b"host")
                headers = [(name, value) for name, value in headers if name != b"host"]
                scope = {**scope, "headers": [*headers, (b"host", host)], DIRECT_HOST: direct}
        await super().__call__(scope, receive, send)


def _plain(address: str) -> str:
    """Return an IPv4 address as IPv4, even if a dual-stack socket reports it as IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped) if mapped else address
