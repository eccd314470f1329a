"""The HTTP server: its socket, and the thread that serves until it is stopped."""

import logging
import socket
import threading

import uvicorn

from tfserving.server.rest.application import RestApi
from tfserving.server.rest.protocol import RestProtocol

log = logging.getLogger(__name__)

GRACE_SECONDS = 2
KEEP_ALIVE_SECONDS = 50


def bind(port: int, host: str = "") -> socket.socket:
    """Return a socket bound to an address, or to all, not listening yet; raise OSError if the port is taken.

    All addresses include IPv6 if this machine has it, as in TensorFlow Serving.
    """
    has_ipv6 = ":" in host or (not host and socket.has_dualstack_ipv6())
    listener = socket.socket(socket.AF_INET6 if has_ipv6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if has_ipv6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OSError(f"port {port}: {error}") from error
    return listener


class HttpServer:
    """Serves the REST API in its own thread."""

    def __init__(self, app: RestApi, listener: socket.socket, stop: threading.Event) -> None:
        """Take the socket to listen on, and an event to set when the server ends."""
        self._listener = listener
        self._stop = stop
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=RestProtocol,
                loop="uvloop",
                interface="asgi3",
                lifespan="off",
                ws="none",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                # TensorFlow Serving keeps idle connections open for this long.
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                # Only matters for requests that do not end although they are cancelled.
                timeout_graceful_shutdown=2 * GRACE_SECONDS,
            )
        )
        # Outside the main thread, uvicorn leaves our signal handlers alone.
        self._thread = threading.Thread(target=self._run, name="http")

    def start(self) -> None:
        """Accept requests; raise OSError if another process already listens on the port."""
        self._listener.listen(socket.SOMAXCONN)
        self._thread.start()
        log.info("Exporting HTTP/REST API at:localhost:%d ...", self._listener.getsockname()[1])

    def stop(self) -> None:
        """Accept no more requests; those in progress continue."""
        self._server.should_exit = True

    def join(self, timeout: float | None = None) -> None:
        """Wait until the last request is answered, for at most `timeout` s."""
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._listener])
        finally:
            self._stop.set()
