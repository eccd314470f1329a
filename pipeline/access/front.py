"""What stands in front of a service's application: the order of the middleware, once for all services."""

from collections.abc import Callable, Sequence

from starlette.types import ASGIApp

from pipeline.access.gate import Gate, Guests, is_below_api
from pipeline.access.headers import SecurityHeaders
from pipeline.access.hosts import Hosts
from pipeline.access.proxy import ProxyHeaders
from pipeline.access.rootpath import RootPath
from pipeline.access.session import Sessions
from pipeline.access.write_token import WriteAccess


def guarded(
    app: ASGIApp,
    sessions: Sessions | None,
    writes: WriteAccess | None,
    *,
    proxies: str = "",
    root: str = "",
    tls: bool = False,
    allowed_hosts: Sequence[str] = (),
    embed_origins: Sequence[str] = (),
    guests: Guests | None = None,
    is_api: Callable[[str], bool] = is_below_api,
) -> ASGIApp:
    """Return an application behind the gate; `root` is the path under which the `proxies` publish it.

    `tls` is True if the server itself encrypts its connections. For the rest, see `Gate`.
    """
    gate = Gate(app, sessions, Hosts(allowed_hosts), writes, embed_origins, guests=guests, is_api=is_api)
    return ProxyHeaders(SecurityHeaders(RootPath(gate, root), tls), proxies)
