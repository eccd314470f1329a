"""A client's connection as the streams use it: whole chunks go to the transport, and none are queued."""

import asyncio
import fcntl
import os
import socket
import struct
import sys
import termios
import time
from collections.abc import Callable
from typing import Final

CONNECTION: Final = "streamlens.connection"
"""The key of the `Connection` in an ASGI scope."""

_TCP_INFO: Final = getattr(socket, "TCP_INFO", None) if sys.platform == "linux" else None
# tcpi_snd_wnd, the receive window that the peer advertises, in bytes: in `struct tcp_info` since Linux 5.4,
# see https://github.com/torvalds/linux/blob/v5.4/include/uapi/linux/tcp.h.
_WINDOW: Final = slice(228, 232)
_EPOCH: Final = 30.0  # s


class Receiver:
    """The client's end of a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._largest = self._largest_before = 0
        self._epoch = time.monotonic()

    def unread(self) -> int:
        """Return roughly how many bytes are in the client's kernel that the client has not read yet.

        The receive window of a client that reads slowly shrinks by what waits there. It is compared with the
        largest window of the last 30 to 60 s, because a window may also shrink for good. Without this check,
        frames pile up in the kernel of a client that cannot keep up, and it sees them seconds late; see the
        figure "age worst, slow client" of `make bench`. Returns 0 if the system does not report the window.
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

    def under_way(self) -> int:
        """Return how many bytes the client's kernel has not acknowledged; 0 if the system does not tell."""
        if _TCP_INFO is None:
            return 0
        try:
            (length,) = struct.unpack("i", fcntl.ioctl(self._connection, termios.TIOCOUTQ, bytes(4)))
        except (OSError, ValueError):  # the connection is gone
            return 0
        return int(length)


class Connection:
    """Belongs to the event loop. Its protocol reports when it is `filled`, `drained` and `lost`.

    Check `full` before writing: while the kernel has not taken a whole chunk, the next would only grow old
    here. `on_room` is called when it is worth checking again, and `gone` is set when the client has left.
    `on_text` is offered each text message of a WebSocket, and returns whether it has handled it.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        # Our own socket: uvloop's creates a new object for each call, and raises once it is closed.
        self._socket = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
        self._full_since = 0.0
        receiver = Receiver(self._socket)
        self.unread, self.under_way = receiver.unread, receiver.under_way
        self.full = False
        self.streaming = False  # the response is endless: ignore further requests on this connection
        self.gone = asyncio.Event()
        self.on_room: Callable[[], None] = _nothing
        self.on_text: Callable[[bytes], bool] | None = None

    def begin(self) -> None:
        """Have the protocol notified as soon as the kernel does not take everything."""
        # uvloop's TLS transport treats 0 as always full.
        self._transport.set_write_buffer_limits(high=1)

    def take_little(self, size: int) -> None:
        """Let the kernel receive only about `size` bytes ahead: one client's burst delays everyone."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)

    def write(self, chunk: bytes) -> None:
        """Pass a whole chunk to the kernel; the transport keeps what the kernel does not take."""
        if not self._transport.is_closing():
            self._transport.write(chunk)

    def stuck(self, now: float) -> float:
        """Return for how many s it has been full without interruption; `now` is monotonic."""
        return now - self._full_since if self.full else 0.0

    def close(self) -> None:
        """Close after the kernel has taken everything written so far."""
        self._transport.close()

    def abort(self) -> None:
        """Close immediately."""
        self._transport.abort()

    def filled(self) -> None:
        """Note that the kernel has no room."""
        self.full, self._full_since = True, time.monotonic()

    def drained(self) -> None:
        """Note that the kernel has taken everything."""
        self.full = False
        self.on_room()

    def lost(self) -> None:
        """Note that the connection is closed."""
        self.on_room, self.on_text = _nothing, None
        self._socket.close()
        self.gone.set()


def _nothing() -> None:
    pass
