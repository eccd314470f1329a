"""An HTTP connection that is kept open, with a deadline for each question."""

import socket
import time
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import Final
from urllib.parse import urlsplit

from consumer.model_server.errors import ModelError
from consumer.model_server.watchdog import Watchdog

LARGEST_ANSWER: Final = 16 * 1024 * 1024  # bytes
LIFETIME: Final = 30.0
"""Seconds after which a connection is made anew.

Kubernetes picks one of a Service's pods for each connection: those that last would never find a new pod, and
two of them might stay with the same one.
"""


class Connection:
    """Sends questions to one server, given by any URL of it; for one thread."""

    def __init__(self, url: str, timeout: float) -> None:
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=timeout)
        self._watchdog = Watchdog(timeout)
        self._timeout = timeout
        self._opened = 0.0

    def ask(self, path: str, body: bytes = b"") -> bytes:
        """Return the answer's body; raise `ModelError` for anything but a 200 within the deadline.

        Without a body the question is a GET.
        """
        deadline = time.monotonic() + self._timeout
        if time.monotonic() > self._opened + LIFETIME:
            self._connection.close()
        try:
            try:
                status, text = self._exchange(path, body, deadline)
            except ConnectionError:
                # A server may close a connection that was idle, or end just as it takes a new one while
                # another is in its place: that is no reason to do without an answer.
                if time.monotonic() > deadline:
                    raise
                self._connection.close()
                status, text = self._exchange(path, body, deadline)
        except (HTTPException, OSError, UnicodeError) as error:
            self._connection.close()  # the rest of this answer must not be taken for the next one
            if time.monotonic() >= deadline or isinstance(error, TimeoutError):
                raise ModelError("timeout", f"no answer within {self._timeout:g} s") from None
            kind = "unreachable" if isinstance(error, ConnectionRefusedError | socket.gaierror) else "broken"
            raise ModelError(kind, f"{type(error).__name__}: {error}") from None
        if len(text) > LARGEST_ANSWER:
            self._connection.close()
            raise ModelError("nonsense", f"the answer is longer than {LARGEST_ANSWER} bytes")
        if status != 200:
            what = f"it answered {status}: {text[:200]!r}"
            raise ModelError(f"http_{status}", what, refused=status == 400)
        return text

    def close(self) -> None:
        """Close the connection; the next question opens it again."""
        self._watchdog.end()
        self._connection.close()

    def _exchange(self, path: str, body: bytes, deadline: float) -> tuple[int, bytes]:
        """Return the answer's status and body; of a body that is too long, a byte more than is allowed."""
        if self._connection.sock is None:
            self._connection.connect()
            self._opened = time.monotonic()
        self._watchdog.watch(self._connection.sock, deadline)
        try:
            method = "POST" if body else "GET"
            self._connection.request(method, path, body, {"Content-Type": "application/json"})
            answer: HTTPResponse = self._connection.getresponse()
            with answer:
                text = answer.read(LARGEST_ANSWER + 1)
                if answer.length and len(text) <= LARGEST_ANSWER:
                    raise IncompleteRead(text, answer.length)
            if time.monotonic() >= deadline:  # the end that was read is the watchdog's
                raise TimeoutError
            return answer.status, text
        finally:
            self._watchdog.rest()
