"""Downloads a file, through the proxy and with the password that the environment names for its URL.

`requests` does that, and follows redirects; a `Watchdog` adds the deadline for the download as a whole.
"""

import socket
import ssl
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from consumer.model_server.connection import cause, checked, explained, read
from pipeline.watchdog import Watchdog

Version = tuple[str | None, str | None]
"""How a server names the version of a file: its ETag and its Last-Modified, where it sends them."""


def download(
    url: str, timeout: float, known: Version | None = None, login: str | None = None
) -> tuple[bytes, Version] | None:
    """Return what is at a URL, and its version; or None if the server says that it is still the known one.

    Raises `ModelError` for anything but a 200 or, then, a 304 within the timeout.
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
            _session(watch) as session,
            session.get(url, stream=True, timeout=timeout, headers=headers) as answer,
        ):
            text = read(answer.raw)
        if time.monotonic() >= deadline:  # it ended because the watchdog cut it
            raise TimeoutError
    except (requests.RequestException, OSError, ValueError) as error:
        raise explained(cause(error), timeout, late=time.monotonic() >= deadline) from None
    finally:
        watchdog.end()
    if answer.status_code == 304 and known:
        return None
    version = answer.headers.get("ETag"), answer.headers.get("Last-Modified")
    return checked(answer.status_code, text, has_login=bool(login or urlsplit(url).username)), version


def _session(watch: Callable[[socket.socket], None]) -> requests.Session:
    session = requests.Session()
    session.headers["Accept-Encoding"] = "identity"
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(_pools(watch)))
    return session


class _Adapter(HTTPAdapter):
    """Uses these classes of urllib3's pools, by scheme."""

    def __init__(self, pools: dict[str, type[HTTPConnectionPool]]) -> None:
        self._pools = pools
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **options: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pools(watch: Callable[[socket.socket], None]) -> dict[str, type[HTTPConnectionPool]]:
    """Return pools that call `watch` with the socket of each new connection."""

    class Watched(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            watch(self.sock)

    class WatchedTls(Watched, HTTPSConnection):
        pass

    class Pool(HTTPConnectionPool):
        ConnectionCls = Watched

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = WatchedTls

        def __init__(self, *args: Any, **options: Any) -> None:
            # The system's certificates, which may include a company's own, besides those of `requests`.
            super().__init__(*args, **{"ssl_context": ssl.create_default_context(), **options})

    return {"http": Pool, "https": TlsPool}
