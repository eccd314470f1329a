"""An HTTP connection that is kept open, with a deadline for each request.

`requests` does the HTTP. Its timeouts apply to each read of the socket, so that a server that sends a byte
now and then is never given up; a `Watchdog` adds the deadline for the request as a whole.
"""

import socket
import ssl
import time
from collections.abc import Callable
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from consumer.model_server.errors import ModelError
from consumer.model_server.watchdog import Watchdog

LARGEST_ANSWER: Final = 16 * 1024 * 1024  # bytes
LIFETIME: Final = 30.0
"""Seconds after which a connection is replaced by a new one.

Kubernetes picks one of a Service's pods for each connection: a connection that lasted would never reach a new
pod, and two of them might stay with the same one.
"""

_HEADERS: Final = {"Content-Type": "application/json"}


class Connection:
    """Sends requests to one server, for one thread; `base` is its URL without a path: `http://host:8501`.

    A `direct` connection ignores the environment's proxies and `.netrc`, and does not follow redirects.
    """

    def __init__(self, base: str, timeout: float, *, direct: bool = True) -> None:
        self._base = base
        self._timeout = timeout
        self._watchdog = Watchdog(timeout)
        self._deadline = self._opened = 0.0
        self._prepared: dict[tuple[str, str], requests.PreparedRequest] = {}
        self._session = _DirectSession() if direct else requests.Session()
        self._session.headers.clear()
        self._session.headers.update(_HEADERS)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(self._connected, self._watch))

    def ask(self, path: str, body: bytes = b"") -> bytes:
        """Send a POST, or a GET if there is no body, and return the body of the answer.

        Raises `ModelError` for anything but a 200 within the deadline.
        """
        self._deadline = time.monotonic() + self._timeout
        if time.monotonic() > self._opened + LIFETIME:
            self._session.close()
        outcome = self._try(path, body)
        if isinstance(outcome, ConnectionError) and time.monotonic() <= self._deadline:
            # A server may close an idle connection, or shut down just as we connect (a rolling update): try
            # once more, on a new connection.
            self._session.close()
            outcome = self._try(path, body)
        if isinstance(outcome, Exception):
            self._session.close()  # the rest of this answer must not be taken for the next one
            raise self._explained(outcome) from None
        status, text = outcome
        if len(text) > LARGEST_ANSWER:
            raise ModelError("nonsense", f"the answer is longer than {LARGEST_ANSWER} bytes")
        if status != 200:
            what = f"the server answered {status}: {text[:200]!r}"
            raise ModelError(f"http_{status}", what, refused=status == 400)
        return text

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self._watchdog.end()
        self._session.close()

    def _try(self, path: str, body: bytes) -> tuple[int, bytes] | Exception:
        try:
            return self._exchange(path, body)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return _cause(error)
        finally:
            self._watchdog.rest()

    def _exchange(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Return the status and the body of the answer; of one that is too long, one byte too many."""
        request = self._request("POST" if body else "GET", path).copy()
        if body:
            request.prepare_body(body, None)
        with self._session.send(request, stream=True, timeout=self._timeout) as answer:
            text = _body(answer)
        if time.monotonic() >= self._deadline:  # it ended because the watchdog cut it
            raise TimeoutError
        return answer.status_code, text

    def _request(self, method: str, path: str) -> requests.PreparedRequest:
        # Preparing a request takes as long as the rest of sending it, so it is done once.
        if (method, path) not in self._prepared:
            request = requests.Request(method, self._base + path)
            self._prepared[method, path] = self._session.prepare_request(request)
        return self._prepared[method, path]

    def _connected(self) -> None:
        self._opened = time.monotonic()

    def _watch(self, connection: socket.socket) -> None:
        self._watchdog.watch(connection, self._deadline)

    def _explained(self, error: Exception) -> ModelError:
        if time.monotonic() >= self._deadline or isinstance(error, TimeoutError):
            return ModelError("timeout", f"no answer within {self._timeout:g} s")
        kind = "unreachable" if isinstance(error, ConnectionRefusedError | socket.gaierror) else "broken"
        return ModelError(kind, f"{type(error).__name__}: {error}")


class _DirectSession(requests.Session):
    """Uses no proxies and no `.netrc`, and takes a redirection as the answer, without looking at it."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        return None


class _Adapter(HTTPAdapter):
    """Calls `connected` for each new connection, and `watch` with the socket before each request."""

    def __init__(self, connected: Callable[[], None], watch: Callable[[socket.socket], None]) -> None:
        self._pools = _pools(connected, watch)
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **options: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pools(
    connected: Callable[[], None], watch: Callable[[socket.socket], None]
) -> dict[str, type[HTTPConnectionPool]]:
    """Return the classes of urllib3's pools by scheme, with connections that report their sockets."""

    class Watched(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            connected()

        def request(self, *args: Any, **options: Any) -> None:
            if self.sock is None:
                self.connect()
            watch(self.sock)
            super().request(*args, **options)

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


def _body(answer: requests.Response) -> bytes:
    """Return the body as it was sent, or its first `LARGEST_ANSWER + 1` bytes."""
    pieces: list[bytes] = []
    left = LARGEST_ANSWER + 1
    while left and (piece := answer.raw.read(left, decode_content=False)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _cause(error: Exception) -> Exception:
    """Return what went wrong with the socket, which `requests` and urllib3 wrap."""
    while isinstance(error, requests.RequestException | HTTPError) and isinstance(
        error.__context__, Exception
    ):
        error = error.__context__
    return error
