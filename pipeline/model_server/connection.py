"""An HTTP connection that is kept open, with a deadline for each request.

urllib3 does the HTTP. Its timeouts apply to each read of the socket, so that a server that sends a byte now
and then is never given up; a `Watchdog` adds the deadline for the request as a whole.
"""

import json
import socket
import ssl
import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import urlsplit

from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from pipeline.model_server.errors import ModelError
from pipeline.model_server.login import NO_LOGIN, Login
from pipeline.service.masking import hide
from pipeline.targets import TargetError
from pipeline.watchdog import Watchdog

LARGEST_ANSWER: Final = 16 * 1024 * 1024  # bytes
MOST_NUMBERS: Final = 2_000_000
"""Values in an answer's JSON; each takes 32 bytes of memory."""
MOST_LISTS: Final = 300_000
"""Lists and objects in an answer's JSON; each takes up to 250 bytes of memory."""
LIFETIME: Final = 30.0
"""Seconds after which a connection is replaced by a new one.

Kubernetes picks one of a Service's pods for each connection: a connection that lasted would never reach a new
pod, and two of them might stay with the same one.
"""
TRIES: Final = 3
"""How often a request is sent, on a new connection each time, as long as the deadline allows.

A server may close an idle connection, or shut down just as we connect; in a rolling update, so may the next.
"""

_SHOWN: Final = 200  # characters of what a server sent
_SHOWN_OF: Final = 2000  # bytes
_WRAPPERS: Final = ("urllib3.", "requests.")
_HEADERS: Final = {"Content-Type": "application/json"}


class Connection:
    """Sends requests to one server, for one thread; `base` is its URL without a path: `http://host:8501`.

    `reconnected` is called whenever it is connected again after a connection was lost.

    It ignores the environment's proxies and `.netrc`, and does not follow redirects.
    """

    def __init__(
        self,
        base: str,
        timeout: float,
        login: Login = NO_LOGIN,
        reconnected: Callable[[], object] = lambda: None,
    ) -> None:
        parts = urlsplit(base)
        host = parts.hostname or ""
        self._connection = (
            HTTPSConnection(host, parts.port, timeout=timeout, ssl_context=tls(self._watch))
            if parts.scheme == "https"
            else HTTPConnection(host, parts.port, timeout=timeout)
        )
        self._timeout = timeout
        self._login = login
        self._watchdog = Watchdog(timeout)
        self._deadline = self._opened = 0.0
        self._reconnected = reconnected
        self._is_lost = False

    def ask(self, path: str, body: bytes = b"") -> bytes:
        """Send a POST, or a GET if there is no body, and return the body of the answer.

        Raises `ModelError` for anything but a 200 within the deadline.
        """
        self._deadline = time.monotonic() + self._timeout
        if time.monotonic() > self._opened + LIFETIME:
            self._connection.close()
        outcome = self._try(path, body)
        for _ in range(TRIES - 1):
            if not isinstance(outcome, ConnectionError) or time.monotonic() > self._deadline:
                break
            self._lose()
            outcome = self._try(path, body)
        if isinstance(outcome, Exception):
            self._lose()  # the rest of this answer must not be taken for the next one
            raise explained(outcome, self._timeout, late=time.monotonic() >= self._deadline) from None
        status, text = outcome
        if len(text) > LARGEST_ANSWER:
            self._connection.close()
        return checked(status, text, has_login=self._login != NO_LOGIN)

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self._watchdog.end()
        self._connection.close()

    def _lose(self) -> None:
        """Close a connection that has failed, or could not be made."""
        self._is_lost = self._opened > 0
        self._connection.close()

    def _try(self, path: str, body: bytes) -> tuple[int, bytes] | Exception:
        try:
            return self._exchange(path, body)
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            return cause(error)
        finally:
            self._watchdog.rest()

    def _exchange(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Return the status and the body of the answer; of one that is too long, one byte too many."""
        connection = self._connection
        if connection.sock is None:
            connection.connect()
            self._opened = time.monotonic()
            if self._is_lost:
                self._is_lost = False
                self._reconnected()
        self._watch(connection.sock)
        method, login = "POST" if body else "GET", self._login.header()
        headers = {**_HEADERS, "Authorization": login} if login else _HEADERS
        connection.request(method, path, body, headers, preload_content=False)
        with connection.getresponse() as answer:
            text = read(answer)
        if time.monotonic() >= self._deadline:  # it ended because the watchdog cut it
            raise TimeoutError
        return answer.status, text

    def _watch(self, connection: socket.socket) -> None:
        self._watchdog.watch(connection, self._deadline)


def tls(watch: Callable[[socket.socket], None]) -> ssl.SSLContext:
    """Return a context with the system's certificates, which calls `watch` before each handshake."""

    class Watched(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            watch(self)
            super().do_handshake(block)

    context = ssl.create_default_context()
    context.sslsocket_class = Watched
    return context


def read(answer: BaseHTTPResponse, most: int = LARGEST_ANSWER) -> bytes:
    """Return the body of an answer as it was sent, or its first `most + 1` bytes."""
    pieces: list[bytes] = []
    left = most + 1
    while left and (piece := answer.read(left, decode_content=False)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def checked(status: int, text: bytes, *, has_login: bool, most: int = LARGEST_ANSWER) -> bytes:
    """Return the body of an answer; raise `ModelError` unless it is a 200 of at most so many bytes."""
    if len(text) > most:
        raise ModelError("too_large", f"the answer is longer than {most >> 20} MiB")
    if status != 200:
        said = f"the server answered {status}: {_reason(text)}"
        said += remedy(said, has_login=has_login, is_unknown=status == 401)
        raise ModelError(f"http_{status}", said, refused=status in (400, 413))
    return text


def remedy(said: str, *, has_login: bool, is_unknown: bool) -> str:
    """Return what would help, to be added to what a server `said`; it may not know who we are."""
    if is_unknown:
        return "; check the login" if has_login else "; it needs a login: user and password, or token_file"
    if "Servable not found" in said:
        return "; check the model's name, and whether the server has loaded it"
    return ""


def parsed(text: bytes) -> Any:
    """Return the content of an answer in JSON.

    Raises ValueError, or RecursionError, if it is not JSON, or would take much more memory than its text.
    """
    if text.count(b",") > MOST_NUMBERS or text.count(b"[") + text.count(b"{") > MOST_LISTS:
        raise ValueError(f"expected at most {MOST_NUMBERS} values and {MOST_LISTS} lists")
    return json.loads(text)


def shown(text: bytes) -> str:
    """Return the beginning of what a server sent, on one line."""
    # Half a secret would not be recognised later.
    return hide(" ".join(text[:_SHOWN_OF].decode(errors="replace").split()))[:_SHOWN] or "nothing"


def _reason(text: bytes) -> str:
    """Return the text of an error, which TensorFlow Serving sends as `{"error": "..."}`."""
    try:
        reason = parsed(text)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return shown(text)
    return shown(str(reason).encode(errors="replace"))


def cause(error: Exception) -> Exception:
    """Return what went wrong with the socket, which urllib3 and `requests` wrap."""
    while type(error).__module__.startswith(_WRAPPERS) and isinstance(error.__context__, Exception):
        error = error.__context__
    return error


def explained(error: Exception, timeout: float, *, late: bool) -> ModelError:
    """Return the error of a request that ended with `cause`, perhaps `late`: after its deadline."""
    if isinstance(error, TargetError):
        return ModelError("denied", f"it leads to {error}")
    if late or isinstance(error, TimeoutError):
        return ModelError("timeout", f"no answer within {timeout:g} s")
    if isinstance(error, ConnectionRefusedError | socket.gaierror):
        return ModelError("unreachable", f"cannot connect: {error.strerror}")
    said = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return ModelError("broken", f"no valid answer: {said}")
