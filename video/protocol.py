"""HTTP connections: how far behind their client is with reading, and how much of a request they wait for."""

import asyncio
import os
import socket
import sys
import time
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

UNREAD: Final = "streamlens.unread"
"""The key in an ASGI scope under which `Receiver.unread` is found."""

_TCP_INFO: Final = getattr(socket, "TCP_INFO", None) if sys.platform == "linux" else None
# tcp_info of linux/tcp.h ends, since Linux 5.4, with tcpi_rcv_ooopack and tcpi_snd_wnd.
_WINDOW: Final = slice(228, 232)
_EPOCH: Final = 30.0  # s

_LONGEST_HEAD: Final = 64 * 1024  # bytes of a request line and its headers
_HEAD_TIMEOUT: Final = 10.0  # s for them to come
_TOO_LONG: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)


class Receiver:
    """The other end of a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._largest = self._largest_before = 0
        self._epoch = time.monotonic()

    def unread(self) -> int:
        """Return about how many bytes the client's kernel holds that the client has not read yet.

        A client that reads slowly is found out by its receive window: it shrinks by what waits there. It is
        held against the largest of the last half minute, or minute: a window may also shrink for good.
        Where the system does not tell the window, 0.
        """
        if _TCP_INFO is None:
            return 0
        try:
            info = self._connection.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _WINDOW.stop)
        except OSError:  # the connection is gone
            return 0
        window = int.from_bytes(info[_WINDOW], sys.byteorder)
        now = time.monotonic()
        if now - self._epoch > _EPOCH:
            self._epoch, self._largest_before, self._largest = now, self._largest, 0
        self._largest = max(self._largest, window)
        return max(self._largest, self._largest_before) - window


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, but no frame queues in memory, and each scope tells the receiver's backlog.

    A request must be whole within ten seconds, its head within 64 KB.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        super().connection_made(transport)
        # A send then waits until all of it is with the kernel: the next frame is chosen only after that.
        transport.set_write_buffer_limits(high=0)
        # A socket of our own: what uvloop gives makes a new one for each call, and raises once it is closed.
        self._socket = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
        self._receiver = Receiver(self._socket)
        self._head = 0
        self._waiting: asyncio.TimerHandle | None = self.loop.call_later(_HEAD_TIMEOUT, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._stop_waiting()
        self._socket.close()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request, unless its head has become too long."""
        self._head += len(data)
        if self._head > _LONGEST_HEAD and self._waiting is not None:
            self.transport.write(_TOO_LONG)
            self.transport.close()
            return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope[UNREAD] = self._receiver.unread  # type: ignore[typeddict-unknown-key]
        if self._waiting is None:
            self._waiting = self.loop.call_later(_HEAD_TIMEOUT, self.transport.close)

    def on_message_complete(self) -> None:
        """End a request."""
        self._stop_waiting()
        self._head = 0
        super().on_message_complete()

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
