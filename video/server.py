"""The HTTP server's life: its socket, its event loop, its end."""

import asyncio
import socket
import sys
from typing import Final

import uvicorn

from pipeline.service import Pulse
from pipeline.settings import Address, SettingsError
from video.board import Board
from video.protocol import Protocol
from video.web import application

# Python names it from 3.12 on.
_TCP_NOTSENT_LOWAT: Final = {"linux": 25, "darwin": 0x201}.get(sys.platform)
_UNSENT: Final = 16_384  # bytes
_GRACE: Final = 1.5  # s for clients to take what is left for them


def listen(address: Address) -> socket.socket:
    """Return a listening socket; raise `SettingsError` when the address is taken.

    The kernel takes no more than 16 KB ahead of what the network takes: frames wait here, where a newer one
    can replace them, and not in its buffers. Without it a client that reads 10 of 25 frames a second sees
    them 5 s late.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if _TCP_NOTSENT_LOWAT is not None:
        listener.setsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, _UNSENT)
    try:
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        taken = f"DISPLAYPORT='{address.host}:{address.port}': cannot listen there: {error.strerror}"
        raise SettingsError(taken) from None
    return listener


class WebServer:
    """Serves the board's cameras on a listening socket."""

    def __init__(self, board: Board, listener: socket.socket, interval: float) -> None:
        self._board = board
        self._listener = listener
        self._config = uvicorn.Config(
            application(board, interval),
            http=Protocol,
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=2,  # an endless stream would hold the end back for ever
        )

    def run(self, pulse: Pulse) -> None:
        """Serve until told to stop."""
        with asyncio.Runner(loop_factory=self._config.get_loop_factory()) as runner:
            runner.run(self._serve(pulse))

    def close(self) -> None:
        """Let go of the port."""
        self._listener.close()

    async def _serve(self, pulse: Pulse) -> None:
        server = uvicorn.Server(self._config)
        self._board.open()
        # uvicorn closes the socket it is given; a restarted worker needs it again.
        serving = asyncio.ensure_future(server.serve(sockets=[self._listener.dup()]))
        try:
            while not (pulse.stopping.is_set() or serving.done()):
                pulse.beat()
                await asyncio.wait([serving], timeout=0.2)
        finally:
            self._board.close()
            server.should_exit = True
            await asyncio.wait([serving], timeout=_GRACE)
            for connection in list(server.server_state.connections):
                connection.transport.abort()  # its client does not read what ends its stream
            await serving
