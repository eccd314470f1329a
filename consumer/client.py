"""Asks a model server over HTTP, within a deadline."""

import socket
import threading
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import Final
from urllib.parse import urlsplit

_LARGEST_ANSWER: Final = 16 * 1024 * 1024  # bytes


class ModelError(Exception):
    """A model did not answer, or not sensibly: `kind` is one word for the counters."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class ModelClient:
    """Sends requests to one URL over a connection that is kept open."""

    def __init__(self, url: str, timeout: float) -> None:
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=timeout)
        self._path = parts.path + (f"?{parts.query}" if parts.query else "")
        self._url = url
        self._timeout = timeout

    def missing(self) -> str | None:
        """Return why the server does not offer the model, or None; asks over a connection of its own.

        Where the URL ends with `:predict` the model's status is asked for; of other URLs nothing is known.
        """
        model, _, verb = self._url.rpartition(":")
        if verb != "predict":
            return None
        client = ModelClient(model, min(1.0, self._timeout))
        try:
            client.ask(b"")
        except ModelError as error:
            return str(error)
        finally:
            client.close()
        return None

    def ask(self, body: bytes) -> bytes:
        """Return the answer's body; raise `ModelError` for anything but a 200 within the deadline.

        Without a body the question is a GET.
        """
        deadline = time.monotonic() + self._timeout
        was_open = self._connection.sock is not None
        try:
            try:
                status, text = self._exchange(body, deadline)
            except ConnectionError:
                # A server may close a connection that was idle; that is no reason to do without an answer.
                if not was_open or time.monotonic() > deadline:
                    raise
                self._connection.close()
                status, text = self._exchange(body, deadline)
        except (HTTPException, OSError, UnicodeError) as error:
            self._connection.close()  # the rest of this answer must not be taken for the next one
            if time.monotonic() >= deadline or isinstance(error, TimeoutError):
                raise ModelError("timeout", f"no answer within {self._timeout:g} s") from None
            kind = "unreachable" if isinstance(error, ConnectionRefusedError | socket.gaierror) else "broken"
            raise ModelError(kind, f"{type(error).__name__}: {error}") from None
        if len(text) > _LARGEST_ANSWER:
            self._connection.close()
            raise ModelError("nonsense", f"the answer is longer than {_LARGEST_ANSWER} bytes")
        if status != 200:
            raise ModelError(f"http_{status}", f"it answered {status}: {text[:200]!r}")
        return text

    def close(self) -> None:
        """Close the connection; the next question opens it again."""
        self._connection.close()

    def _exchange(self, body: bytes, deadline: float) -> tuple[int, bytes]:
        """Return the answer's status and body; of a body that is too long, a byte more than is allowed."""
        if self._connection.sock is None:
            self._connection.connect()
        # Timeouts of a socket count from its last byte, however slowly they trickle in.
        left = max(0, deadline - time.monotonic())
        watchdog = threading.Timer(left, _cut, [self._connection.sock])
        watchdog.start()
        try:
            method = "POST" if body else "GET"
            self._connection.request(method, self._path, body, {"Content-Type": "application/json"})
            answer: HTTPResponse = self._connection.getresponse()
            with answer:
                text = answer.read(_LARGEST_ANSWER + 1)
                if answer.length and len(text) <= _LARGEST_ANSWER:
                    raise IncompleteRead(text, answer.length)
            if time.monotonic() >= deadline:  # the end that was read is the watchdog's
                raise TimeoutError
            return answer.status, text
        finally:
            watchdog.cancel()


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
