"""The HTTP server: its socket, and serving in a thread until told to stop."""

import logging
import socket
import threading

import uvicorn

from tfserving.server.rest.application import RestApi
from tfserving.server.rest.protocol import RawTargetProtocol

log = logging.getLogger(__name__)

GRACE_SECONDS = 2
KEEP_ALIVE_SECONDS = 50


def bind(port: int) -> socket.socket:
    """Return a socket bound to all addresses, not yet listening; raise OSError, with the port, if taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("0.0.0.0", port))  # noqa: S104 # as TensorFlow Serving does
    except OSError as error:
        listener.close()
        raise OSError(f"port {port}: {error}") from error
    return listener


class HttpServer:
    """Serves the REST API in a thread of its own."""

    def __init__(self, app: RestApi, listener: socket.socket, stop: threading.Event) -> None:
        """Take the socket to listen on, and the event to set where the server ends by itself."""
        self._listener = listener
        self._stop = stop
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=RawTargetProtocol,
                loop="uvloop",
                interface="asgi3",
                lifespan="off",
                ws="none",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                # As long as TensorFlow Serving keeps a connection that nothing comes on.
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                # Only for requests that do not end though they are cancelled.
                timeout_graceful_shutdown=2 * GRACE_SECONDS,
            )
        )
        # Outside the main thread uvicorn leaves the signals alone, which were here first.
        self._thread = threading.Thread(target=self._run, name="http")

    def start(self) -> None:
        """Take requests; raise OSError where another process has begun to listen on the port."""
        self._listener.listen(socket.SOMAXCONN)
        self._thread.start()
        log.info("Exporting HTTP/REST API at:localhost:%d ...", self._listener.getsockname()[1])

    def stop(self) -> None:
        """Take no more requests, and go on with those that run."""
        self._server.should_exit = True

    def join(self, timeout: float | None = None) -> None:
        """Wait until the last request is answered, at most `timeout` s."""
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._listener])
        finally:
            self._stop.set()
