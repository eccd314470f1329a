"""Memory that requests share: a request that needs more than is free waits."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tfserving.server.errors import Code, ServingError, invalid


class Room:
    """Limits how much memory the requests that run at the same time need for one purpose; for any thread."""

    def __init__(self, size: int, purpose: str) -> None:
        self._size = self._free = size  # bytes
        self._purpose = purpose
        self._freed = threading.Condition()

    @contextmanager
    def take(self, size: int, seconds: float) -> Iterator[None]:
        """Hold so many bytes for the length of the block, after waiting for them for at most some seconds.

        Raises ServingError if they are not free by then, or more than there are in all.
        """
        if size > self._size:
            raise invalid(
                f"The request needs {_megabytes(size)} of memory for {self._purpose}, but at most"
                f" {_megabytes(self._size)} are allowed: send fewer or smaller values at once"
            )
        with self._freed:
            if not self._freed.wait_for(lambda: self._free >= size, min(seconds, threading.TIMEOUT_MAX)):
                raise ServingError(
                    Code.DEADLINE_EXCEEDED,
                    f"Timeout while other requests hold the memory for {self._purpose}",
                )
            self._free -= size
        try:
            yield
        finally:
            with self._freed:
                self._free += size
                self._freed.notify_all()


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"
