"""Downloads a file, through the proxy and with the password that the environment names for its URL.

`requests` does that, and follows redirects; a `Watchdog` adds the deadline for the download as a whole.
"""

import socket
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from pipeline.model_server.connection import LARGEST_ANSWER, cause, checked, explained, read, tls
from pipeline.service.values import Address
from pipeline.targets import TargetError, Targets
from pipeline.watchdog import Watchdog

_MOST_REDIRECTS: Final = 5

Version = tuple[str | None, str | None]
"""How a server names the version of a file: its ETag and its Last-Modified, where it sends them."""


def download(
    url: str,
    timeout: float,
    known: Version | None = None,
    login: str | None = None,
    services: tuple[Address, ...] = (),
    *,
    most: int = LARGEST_ANSWER,
) -> tuple[bytes, Version] | None:
    """Return what is at a URL, and its version; or None if the server says that it is still the known one.

    The server may redirect to another one, but not to our own `services`.

    Raises `ModelError` for anything but a 200 of at most `most` bytes or, then, a 304 within the timeout.
    """
    deadline = time.monotonic() + timeout
    watchdog = Watchdog(timeout)

    def watch(connection: socket.socket) -> None:
        watchdog.watch(connection, deadline)

    etag, modified = known or (None, None)
    headers = {
        "If-None-Match": etag,
        "If-Modified-Since": None if etag else modified,
        "Authorization": login,
    }
    try:
        with (
            _session(watch, _targets(url, services)) as session,
            session.get(url, stream=True, timeout=timeout, headers=headers) as answer,
        ):
            text = read(answer.raw, most)
        if time.monotonic() >= deadline:  # it ended because the watchdog cut it
            raise TimeoutError
    except (requests.RequestException, OSError, ValueError) as error:
        raise explained(cause(error), timeout, late=time.monotonic() >= deadline) from None
    finally:
        watchdog.end()
    if answer.status_code == 304 and known:
        return None
    version = answer.headers.get("ETag"), answer.headers.get("Last-Modified")
    has_login = bool(login or urlsplit(url).username)
    return checked(answer.status_code, text, has_login=has_login, most=most), version


def _targets(url: str, services: tuple[Address, ...]) -> Targets:
    """Return what may be connected to: also one of our services, if the URL itself names it."""
    parts = urlsplit(url)
    named = Address(parts.hostname or "", _port(parts))
    others = tuple(service for service in services if service != named)
    return Targets(frozenset({named.host}), others, "LABELURLS")


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _session(watch: Callable[[socket.socket], None], targets: Targets) -> requests.Session:
    session = requests.Session()
    session.headers["Accept-Encoding"] = "identity"
    session.max_redirects = _MOST_REDIRECTS
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(_pools(watch, targets), targets))
    return session


class _Adapter(HTTPAdapter):
    """Uses these classes of urllib3's pools, by scheme, for what is among the targets."""

    def __init__(self, pools: dict[str, type[HTTPConnectionPool]], targets: Targets) -> None:
        self._pools = pools
        self._targets = targets
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        # Through a proxy, nothing else is checked.
        if refusal := self._targets.refusal(parts.hostname or "", _port(parts)):
            raise TargetError(refusal)
        return super().send(request, *args, **options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **options: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pools(watch: Callable[[socket.socket], None], targets: Targets) -> dict[str, type[HTTPConnectionPool]]:
    """Return pools that connect to the targets, and call `watch` with the socket of each new connection."""

    class Watched(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            connection = (
                targets.connect(self._dns_host, self.port, self.timeout)
                if self.proxy is None
                else super()._new_conn()
            )
            watch(connection)
            return connection

    class WatchedTls(Watched, HTTPSConnection):
        pass

    class Pool(HTTPConnectionPool):
        ConnectionCls = Watched

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = WatchedTls

        def __init__(self, *args: Any, **options: Any) -> None:
            # The system's certificates, which may include a company's own, besides those of `requests`.
            super().__init__(*args, **{"ssl_context": tls(watch), **options})

    return {"http": Pool, "https": TlsPool}
