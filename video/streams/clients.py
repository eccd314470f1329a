"""All open streams and WebSockets: how many there may be, and which of them must end."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import Counter, Gauge

from pipeline.http.connection import Connection

_EVERY: Final = 1.0  # s

SOCKETS: Final = Gauge("streamlens_sockets", "Open WebSockets")
"""Counts those of all kinds."""

_ENDED = Counter("streamlens_clients_ended", "Streams and WebSockets ended by the server", ["reason"])


class TooManyError(Exception):
    """As many streams and WebSockets are open as MAXCLIENTS allows."""


class Clients:
    """Belongs to the event loop; at most `most` may be open.

    A client that has not read anything for `patience` s is disconnected.
    """

    def __init__(self, most: int, patience: float) -> None:
        self._most = most
        self._patience = patience
        self._open: dict[Connection, Callable[[], bool]] = {}

    @contextlib.contextmanager
    def join(self, connection: Connection, allowed: Callable[[], bool]) -> Iterator[None]:
        """Count a client for as long as the context lasts; raise `TooManyError` if there is no place left.

        Its connection is dropped as soon as `allowed` returns False.
        """
        if len(self._open) >= self._most:
            _ENDED.labels("too many").inc()
            raise TooManyError(f"there are {self._most} open streams (MAXCLIENTS); try again later")
        self._open[connection] = allowed
        try:
            yield
        finally:
            del self._open[connection]

    async def watch(self) -> None:
        """Keep disconnecting the clients that must end."""
        while True:
            await asyncio.sleep(_EVERY)
            self.sweep(time.monotonic())

    def sweep(self, now: float) -> None:
        """Disconnect clients that do not read, or may no longer see what they are shown."""
        for connection, allowed in list(self._open.items()):
            if connection.stuck(now) > self._patience:
                _ENDED.labels("does not read").inc()
                connection.abort()
            elif not allowed():
                _ENDED.labels("not allowed").inc()
                connection.abort()
