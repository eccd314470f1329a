"""HTTP connections that know how far behind their client is with reading."""

import asyncio
import socket
import sys
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

UNREAD: Final = "streamlens.unread"
"""The key in an ASGI scope under which `Receiver.unread` is found."""

_TCP_INFO: Final = getattr(socket, "TCP_INFO", None) if sys.platform == "linux" else None
# tcp_info of linux/tcp.h ends, since Linux 5.4, with tcpi_rcv_ooopack and tcpi_snd_wnd.
_WINDOW: Final = slice(228, 232)


class Receiver:
    """The other end of a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._largest = 0

    def unread(self) -> int:
        """Return about how many bytes the client's kernel holds that the client has not read yet.

        A client that reads slowly is found out by its receive window: it shrinks by what waits there. Where
        the system does not tell the window, 0.
        """
        if _TCP_INFO is None:
            return 0
        try:
            info = self._connection.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _WINDOW.stop)
        except OSError:  # the connection is gone
            return 0
        window = int.from_bytes(info[_WINDOW], sys.byteorder)
        self._largest = max(self._largest, window)
        return self._largest - window


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, but no frame queues in memory, and each scope tells the receiver's backlog."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        super().connection_made(transport)
        # A send then waits until all of it is with the kernel: the next frame is chosen only after that.
        transport.set_write_buffer_limits(high=0)
        self._receiver = Receiver(transport.get_extra_info("socket"))

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope[UNREAD] = self._receiver.unread  # type: ignore[typeddict-unknown-key]
