"""The HTTP server: its event loop, its shutdown."""

import asyncio
import socket
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from pipeline.service import listening
from pipeline.service.settings import SettingsError
from pipeline.service.values import Address
from pipeline.service.workers import Pulse

_GRACE: Final = 2  # s for requests to end
_LONGEST_MESSAGE: Final = 16 * 1024  # bytes of a browser's message
_PING: Final = 20.0  # s


def listen(address: Address) -> socket.socket:
    """Return a listening socket; raise `SettingsError` if the address is taken."""
    try:
        return listening.listen(address)
    except OSError as error:
        raise SettingsError(f"DISPLAYPORT='{address}': cannot listen there: {error.strerror}") from None


class WebServer:
    """Serves an application on a listening socket."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        self._listener = listener
        self._config = uvicorn.Config(
            app,
            ws="websockets-sansio",
            ws_max_size=_LONGEST_MESSAGE,
            ws_ping_interval=_PING,
            ws_ping_timeout=_PING,
            proxy_headers=False,
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
        )

    def run(self, pulse: Pulse) -> None:
        """Serve until `pulse.stopping` is set."""
        with asyncio.Runner(loop_factory=self._config.get_loop_factory()) as runner:
            runner.run(self._serve(pulse))

    def close(self) -> None:
        """Release the port."""
        self._listener.close()

    async def _serve(self, pulse: Pulse) -> None:
        server = uvicorn.Server(self._config)
        # Whoever listens closes the socket, but a restarted worker needs it again.
        serving = asyncio.ensure_future(server.serve(sockets=[self._listener.dup()]))
        while not (pulse.stopping.is_set() or serving.done()):
            pulse.beat()
            await asyncio.wait([serving], timeout=0.2)
        server.should_exit = True
        await serving
