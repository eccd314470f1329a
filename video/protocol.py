"""HTTP and WebSocket connections: uvicorn's protocols, with bounds and a `Connection` in each scope."""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from video.connection import CONNECTION, Connection

_LONGEST_HEAD: Final = 64 * 1024  # bytes of a request line and its headers
_HEAD_TIMEOUT: Final = 10.0  # s for them to come
_TOO_LONG: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)


class HttpProtocol(HttpToolsProtocol):
    """A request must be whole within ten seconds, its head within 64 KB; during a stream none is taken."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        super().connection_made(transport)
        self._connection = Connection(transport)
        self._connection.begin()
        self._head = 0
        self._waiting: asyncio.TimerHandle | None = self.loop.call_later(_HEAD_TIMEOUT, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._stop_waiting()
        super().connection_lost(exc)
        self._connection.lost()

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request, unless its head has become too long."""
        if self._connection.streaming:
            return
        self._head += len(data)
        if self._head > _LONGEST_HEAD and self._waiting is not None:
            self.transport.write(_TOO_LONG)
            self.transport.close()
            return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope[CONNECTION] = self._connection  # type: ignore[typeddict-unknown-key]
        if self._waiting is None:
            self._waiting = self.loop.call_later(_HEAD_TIMEOUT, self.transport.close)

    def on_message_complete(self) -> None:
        """End a request."""
        self._stop_waiting()
        self._head = 0
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over."""
        self._stop_waiting()
        super().handle_websocket_upgrade()
        self._connection.lost()

    def pause_writing(self) -> None:
        """Note that the kernel takes no more."""
        super().pause_writing()
        self._connection.filled()

    def resume_writing(self) -> None:
        """Note that the kernel has taken all."""
        super().resume_writing()
        self._connection.drained()

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Handshake, control frames and what the browser sends are uvicorn's; pictures go past it."""

    def connection_made(self, transport: Any) -> None:
        """Begin a connection."""
        super().connection_made(transport)
        self._connection = Connection(transport)
        self._connection.begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        super().connection_lost(exc)
        self._connection.lost()

    def handle_connect(self, event: Request) -> None:
        """Begin the handshake."""
        super().handle_connect(event)
        if not self.close_sent:  # else it was refused, and there is no scope
            self.scope[CONNECTION] = self._connection  # type: ignore[typeddict-unknown-key]

    def handle_text(self, event: Frame) -> None:
        """Hand a text over at once where it is taken: the queue and the task behind it cost more than it."""
        hear = self._connection.on_text
        if not (event.fin and hear is not None and hear(bytes(event.data))):
            super().handle_text(event)

    def handle_ping(self) -> None:
        """Answer a ping, but not those of a client that does not read the answers."""
        if self._connection.full:
            self.conn.data_to_send()
        else:
            super().handle_ping()

    def pause_writing(self) -> None:
        """Note that the kernel takes no more."""
        super().pause_writing()
        self._connection.filled()

    def resume_writing(self) -> None:
        """Note that the kernel has taken all."""
        super().resume_writing()
        self._connection.drained()
