"""All open streams and sockets: how many there may be, and which of them must end."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import Counter

from video.streams.connection import Connection

_EVERY: Final = 1.0  # s

_ENDED = Counter("streamlens_clients_ended", "Streams and sockets that the server has ended", ["reason"])


class TooManyError(Exception):
    """There are as many open streams and sockets as there may be (MAXCLIENTS)."""


class Clients:
    """Lives on the event loop; `most` may be open, and who reads nothing for `patience` s is ended."""

    def __init__(self, most: int, patience: float) -> None:
        self._most = most
        self._patience = patience
        self._open: dict[Connection, Callable[[], bool]] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._open))

    @contextlib.contextmanager
    def join(self, connection: Connection, allowed: Callable[[], bool]) -> Iterator[None]:
        """Count a client in; it is ended once it is no longer `allowed`. Raise `TooManyError` when full."""
        if len(self._open) >= self._most:
            _ENDED.labels("too many").inc()
            raise TooManyError(f"there are {self._most} open streams (MAXCLIENTS); try again later")
        self._open[connection] = allowed
        try:
            yield
        finally:
            del self._open[connection]

    async def watch(self) -> None:
        """End who must be ended, each second, for ever."""
        while True:
            await asyncio.sleep(_EVERY)
            self.sweep(time.monotonic())

    def sweep(self, now: float) -> None:
        """End who does not read, or may no longer see what it is shown."""
        for connection, allowed in list(self._open.items()):
            if connection.stuck(now) > self._patience:
                _ENDED.labels("does not read").inc()
                connection.abort()
            elif not allowed():
                _ENDED.labels("not allowed").inc()
                connection.abort()
