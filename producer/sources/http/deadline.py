"""Limits how long an answer takes as a whole: the timeout of a socket only limits each pause."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import HTTPResponse


class Connection(HTTPConnection):
    """A connection whose answer, up to the end of its headers, may take as long as each pause in it."""

    answering: socket.socket | None = None
    """The last answer's socket: a connection forgets it when nothing else is to come."""

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3
        """Return the answer; raise `TimeoutError` if it takes too long."""
        self.answering = self.sock
        with within(self, self.timeout or 0):
            return super().getresponse()


class _TLSConnection(Connection, HTTPSConnection):
    """The same with TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class Adapter(HTTPAdapter):
    """Makes such connections for a session."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Replace the kinds of connection (urllib3's documented way)."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}


@contextmanager
def within(connection: Connection, seconds: float) -> Iterator[None]:
    """End what a block reads from a connection after so many seconds, and raise `TimeoutError`."""
    over = threading.Event()

    def end() -> None:
        over.set()
        with suppress(OSError):  # it has been closed
            if connection.answering is not None:
                connection.answering.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception:
        if not over.is_set():
            raise
    finally:
        timer.cancel()
    if over.is_set():
        raise TimeoutError
