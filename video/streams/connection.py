"""A client's connection as the streams see it: whole chunks go to the transport, and none of them queue."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Callable
from typing import Final

CONNECTION: Final = "streamlens.connection"
"""The key in an ASGI scope under which the `Connection` is found."""

_TCP_INFO: Final = getattr(socket, "TCP_INFO", None) if sys.platform == "linux" else None
# tcp_info of linux/tcp.h ends, since Linux 5.4, with tcpi_rcv_ooopack and tcpi_snd_wnd.
_WINDOW: Final = slice(228, 232)
_EPOCH: Final = 30.0  # s


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


class Connection:
    """Lives on the event loop. Its protocol tells it when it is `filled`, `drained` and `lost`.

    Who writes looks at `full` first: while the kernel has not taken all of a chunk, a further one would only
    grow old here. `on_room` is called when it is worth looking again, `gone` is set when the client has gone.
    `on_text` is offered each text of a WebSocket, and tells whether it took it.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        # A socket of our own: what uvloop gives makes a new one for each call, and raises once it is closed.
        self._socket = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
        self._full_since = 0.0
        self.unread = Receiver(self._socket).unread
        self.full = False
        self.streaming = False  # the answer has no end: further requests of this client are not for us
        self.gone = asyncio.Event()
        self.on_room: Callable[[], None] = _nothing
        self.on_text: Callable[[bytes], bool] | None = None

    def begin(self) -> None:
        """Have the protocol told as soon as there is anything that the kernel does not take."""
        # uvloop's TLS transport takes 0 for being full at all times.
        self._transport.set_write_buffer_limits(high=1)

    def take_little(self, size: int) -> None:
        """Have the kernel take in only about so many bytes ahead: what one says in a burst holds up all."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)

    def write(self, chunk: bytes) -> None:
        """Hand a whole chunk to the kernel, or what it does not take to the transport."""
        if not self._transport.is_closing():
            self._transport.write(chunk)

    def stuck(self, now: float) -> float:
        """Return for how many s it has been full without a break; `now` is of the monotonic clock."""
        return now - self._full_since if self.full else 0.0

    def close(self) -> None:
        """Close once the kernel has taken what was written."""
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def filled(self) -> None:
        """Note that the kernel takes no more."""
        self.full, self._full_since = True, time.monotonic()

    def drained(self) -> None:
        """Note that the kernel has taken all."""
        self.full = False
        self.on_room()

    def lost(self) -> None:
        """Note that there is no connection any more."""
        self.on_room, self.on_text = _nothing, None
        self._socket.close()
        self.gone.set()


def _nothing() -> None:
    pass
