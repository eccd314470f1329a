"""Ends a socket's waiting at a deadline."""

import socket
import threading
import time
from contextlib import suppress


class Watchdog:
    """Cuts a connection that is not done by its deadline, however slowly bytes trickle in.

    A socket's own timeout starts again with each byte. The thread looks every `timeout` s, the longest time
    that a deadline can be away. A new deadline does not wake it: that would cost more than the request.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._watched: tuple[socket.socket, float] | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, connection: socket.socket, deadline: float) -> None:
        """Cut this connection at the deadline, in time.monotonic(), unless `rest` is called before."""
        with self._lock:
            self._watched = connection, deadline
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, args=(self._ended,), name="watchdog", daemon=True
            )
            self._thread.start()

    def rest(self) -> None:
        """Stop watching."""
        with self._lock:
            self._watched = None

    def end(self) -> None:
        """End the thread; the next call of `watch` starts another."""
        self._ended.set()
        self._ended, self._thread = threading.Event(), None

    def _run(self, ended: threading.Event) -> None:
        wait = self._timeout
        while not ended.wait(wait):
            wait = self._timeout
            with self._lock:
                if self._watched is None:
                    continue
                connection, deadline = self._watched
                wait = deadline - time.monotonic()
                if wait <= 0:
                    _cut(connection)
                    self._watched, wait = None, self._timeout


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
