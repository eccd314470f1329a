"""WebSocket connections: uvicorn's protocol with limits, and with a `Connection` in each scope.

It relies on hooks of uvicorn/protocols/websockets/websockets_sansio_impl.py, see
https://github.com/encode/uvicorn/blob/master/uvicorn/protocols/websockets/websockets_sansio_impl.py.
"""

import time
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from pipeline.http.connection import CONNECTION, Connection
from pipeline.http.connections import REFUSED

_SHARE: Final = 0.1  # of the event loop's time that one browser's messages may take
_NOTICEABLE: Final = 0.002  # s
_RECEIVED: Final = 16 * 1024  # bytes that the kernel receives ahead
_MOST_FRAGMENTS: Final = 64  # fragments of a message
_MALFORMED: Final = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Leaves the handshake, control frames and incoming messages to uvicorn; pictures bypass it."""

    def connection_made(self, transport: Any) -> None:
        """Begin a connection."""
        super().connection_made(transport)
        self._connection = Connection(transport)
        self._connection.begin()
        self._connection.take_little(_RECEIVED)

    def data_received(self, data: bytes) -> None:
        """Handle what a browser sends, within its share of the time; answer a failed handshake."""
        began = time.perf_counter()
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            # uvicorn ignores `handshake_exc`, and would wait for a valid request forever.
            self.transport.write(b"".join(self.conn.data_to_send()) or _MALFORMED)
            self.transport.close()
            return
        spent = time.perf_counter() - began
        if spent > _NOTICEABLE and not self.transport.is_closing():
            self.transport.pause_reading()
            self.loop.call_later(spent * (1 / _SHARE - 1), self._read_on)

    def send_receive_event_to_app(self) -> None:
        """Pass on a message; close the connection if a text message is not UTF-8.

        uvicorn closes it too, but also logs an exception for each such message.
        """
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self._end(1007, "not UTF-8")
                return
        super().send_receive_event_to_app()

    async def send(self, message: Any) -> None:
        """Send the application's message, but nothing after the end."""
        if message["type"] == "websocket.close" and self.close_sent:
            return
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True  # it has been answered; otherwise uvicorn logs an error

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        super().connection_lost(exc)
        self._connection.lost()

    def handle_connect(self, event: Request) -> None:
        """Begin the handshake."""
        super().handle_connect(event)
        if not self.close_sent:  # otherwise it was refused, and there is no scope
            self.scope[CONNECTION] = self._connection  # type: ignore[typeddict-unknown-key]

    def handle_text(self, event: Frame) -> None:
        """Handle a text message immediately if possible: uvicorn's queue and task cost more than that."""
        hear = self._connection.on_text
        if not (event.fin and hear is not None and hear(bytes(event.data))):
            super().handle_text(event)

    def handle_cont(self, event: Frame) -> None:
        """Take a further fragment of a message.

        uvicorn limits the size of a message but not its number of fragments: empty ones would pile up.
        """
        if len(self.frames) >= _MOST_FRAGMENTS:
            REFUSED.labels("too many fragments").inc()
            self._end(1009, "too many fragments")
        else:
            super().handle_cont(event)

    def handle_ping(self) -> None:
        """Answer a ping, unless the client does not read the answers: uvicorn queues any number of them."""
        if self._connection.full:
            self.conn.data_to_send()
        else:
            super().handle_ping()

    def pause_writing(self) -> None:
        """Note that the kernel has no room."""
        super().pause_writing()
        self._connection.filled()

    def resume_writing(self) -> None:
        """Note that the kernel has taken everything."""
        super().resume_writing()
        self._connection.drained()

    def _end(self, code: int, reason: str) -> None:
        self.frames = []
        self.conn.send_close(code, reason)
        self.handle_parser_exception()

    def _read_on(self) -> None:
        if not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()
