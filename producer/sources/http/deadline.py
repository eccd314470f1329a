"""Limits how long an answer takes as a whole: the timeout of a socket only limits each pause."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError
from urllib3.response import HTTPResponse

from pipeline.targets import Targets
from pipeline.watchdog import Watchdog


class Connection(HTTPConnection):
    """A connection to one of the `targets`.

    Its answer, up to the end of its headers, may take as long as each pause in it.
    """

    _watchdog: Watchdog | None = None
    _answering: socket.socket | None = None  # a connection forgets its socket when nothing else is to come

    def __init__(self, host: str, *arguments: Any, targets: Targets, **options: Any) -> None:
        # urllib3 leaves the zone of a link-local address as it is in a URL.
        super().__init__(host.replace("%25", "%"), *arguments, **options)
        self._targets = targets

    def _new_conn(self) -> socket.socket:
        try:
            return self._targets.connect(self._dns_host, self.port, self.timeout)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "it takes too long") from error

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3
        """Return the answer; raise `TimeoutError` if it takes too long."""
        self._answering = self.sock
        with self.within(self.timeout or 0):
            return super().getresponse()

    def limit_pauses(self, seconds: float) -> None:
        """Wait at most so many seconds for more of the answer."""
        if self._answering is not None:
            self._answering.settimeout(seconds)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """End what a block reads from the connection after so many seconds, and raise `TimeoutError`."""
        if self._answering is None:
            yield
            return
        self._watchdog = self._watchdog or Watchdog(seconds)
        deadline = time.monotonic() + seconds
        self._watchdog.watch(self._answering, deadline)
        try:
            yield
        except Exception:
            if time.monotonic() < deadline:
                raise
        finally:
            self._watchdog.rest()
        if time.monotonic() >= deadline:
            raise TimeoutError

    def close(self) -> None:
        """Close the connection."""
        if self._watchdog is not None:
            self._watchdog.end()
        super().close()


class _TLSConnection(Connection, HTTPSConnection):
    """The same with TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class Adapter(HTTPAdapter):
    """Makes such connections for a session."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Replace the kinds of connection (urllib3's documented way)."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_Pool, targets=self._targets),
            "https": partial(_TLSPool, targets=self._targets),
        }
