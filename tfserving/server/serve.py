"""The HTTP server: its socket, and serving until told to stop."""

import logging
import socket
import threading
from collections.abc import Callable

import uvicorn

from tfserving.server.rest import RestApi

log = logging.getLogger(__name__)

GRACE_SECONDS = 2


def bind(port: int) -> socket.socket:
    """Return a socket bound to all addresses, not yet listening; raise OSError where the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("0.0.0.0", port))  # noqa: S104 # as TensorFlow Serving does
    except OSError:
        listener.close()
        raise
    return listener


def serve(app: RestApi, listener: socket.socket, stop: threading.Event, cancel: Callable[[], None]) -> None:
    """Serve until told to stop; `cancel` has to end the requests that still run two seconds later.

    Raises OSError where another process has begun to listen on the port.
    """
    listener.listen(socket.SOMAXCONN)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http="httptools",
            loop="uvloop",
            interface="asgi3",
            lifespan="off",
            ws="none",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            # Only for requests that do not end though they are cancelled.
            timeout_graceful_shutdown=2 * GRACE_SECONDS,
        )
    )

    def run() -> None:
        try:
            server.run(sockets=[listener])
        finally:
            stop.set()

    # Outside the main thread uvicorn leaves the signals alone, which were here first.
    thread = threading.Thread(target=run, name="http")
    thread.start()
    log.info("Exporting HTTP/REST API at:localhost:%d ...", listener.getsockname()[1])
    stop.wait()
    server.should_exit = True
    thread.join(GRACE_SECONDS)
    cancel()
    thread.join()
