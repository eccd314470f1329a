"""Health of a service over HTTP: /healthz, /readyz, /metrics, /ledger and /ledger/runs."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from pipeline.flow.ledger import Ledger
from pipeline.service import listening
from pipeline.service.logs import Seldom
from pipeline.service.masking import hide
from pipeline.service.settings import SettingsError
from pipeline.service.values import Address

log = logging.getLogger(__name__)

_MOST_CLIENTS: Final = 32
_NOTES: Final = 50  # lines about single cameras in the body of `/readyz`
_NOTE: Final = 300  # characters of such a line
_TEXT = "text/plain; charset=utf-8"
_Answer = tuple[int, str, bytes]


class HealthServer:
    """Answers in its own threads, so that a busy or hanging worker does not look like a dead process.

    `alive` and `ready` return what is wrong, or None. `notes` are lines for the body of a `/readyz` that is
    well. Raises `SettingsError` when the address is in use.
    """

    def __init__(
        self,
        address: Address,
        *,
        alive: Callable[[], str | None],
        ready: Callable[[], str | None],
        ledger: Ledger,
        notes: Callable[[], Sequence[str]] = lambda: (),
    ) -> None:
        answers: dict[str, Callable[[], _Answer]] = {
            "/healthz": lambda: _verdict(alive()),
            "/readyz": lambda: _verdict(ready(), notes),
            "/metrics": lambda: (200, CONTENT_TYPE_LATEST, generate_latest()),
            "/ledger": lambda: (200, "application/json", json.dumps(ledger.report()).encode()),
            "/ledger/runs": lambda: (200, "application/json", json.dumps(ledger.runs()).encode()),
        }

        class Handler(_Handler):
            paths = answers

        try:
            self._server = _Server(address, Handler)
        except OSError as error:
            raise SettingsError(f"HEALTHPORT='{address}': cannot listen there: {error.strerror}") from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="health", daemon=True
        )

    @property
    def port(self) -> int:
        """The port, also when it was chosen by the system."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Start answering."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """Has a thread for each client; the oldest makes room for one too many."""

    def __init__(self, address: Address, handler: type["_Handler"]) -> None:
        self._free = threading.Semaphore(_MOST_CLIENTS)
        self._lock = threading.Lock()
        self._clients: dict[socket.socket, None] = {}
        self._seldom = Seldom(log)
        super().__init__(address, handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening.listen(address)
        self.server_address = self.socket.getsockname()

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self._seldom.warning(
                "clients", f"more than {_MOST_CLIENTS} connections to HEALTHPORT: the oldest is closed"
            )
            self._close_oldest()
            self._free.acquire()
        with self._lock:
            self._clients[request] = None
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._clients.pop(request, None)
        super().shutdown_request(request)
        self._free.release()

    def _close_oldest(self) -> None:
        with self._lock, suppress(OSError):
            for oldest in self._clients:
                del self._clients[oldest]
                oldest.shutdown(socket.SHUT_RDWR)  # which ends its thread
                return

    def handle_error(self, *_: Any) -> None:
        log.debug("a client of the health server disconnected", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    paths: dict[str, Callable[[], _Answer]]
    timeout = 5

    def do_GET(self) -> None:
        answer = self.paths.get(urlsplit(self.path).path)
        status, kind, body = answer() if answer else (404, _TEXT, f"try {', '.join(self.paths)}\n".encode())
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep probes out of the log."""


def _verdict(complaint: str | None, notes: Callable[[], Sequence[str]] = lambda: ()) -> _Answer:
    if complaint:
        return 503, _TEXT, f"{hide(complaint)}\n".encode()
    lines = notes()
    shown = ["ok", *(hide(line)[:_NOTE] for line in lines[:_NOTES])]
    if len(lines) > _NOTES:
        shown.append(f"and {len(lines) - _NOTES} more")
    return 200, _TEXT, "".join(f"{line}\n" for line in shown).encode()
