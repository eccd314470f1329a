"""WebSocket connections: uvicorn's protocol, with bounds and a `Connection` in each scope."""

import time
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from video.streams.connection import CONNECTION, Connection

_SHARE: Final = 0.1  # of the event loop's time that one browser's messages may take
_NOTICEABLE: Final = 0.002  # s
_RECEIVED: Final = 16 * 1024  # bytes that the kernel takes in ahead
_MOST_PIECES: Final = 64  # of a message
_MALFORMED: Final = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Handshake, control frames and what the browser sends are uvicorn's; pictures go past it."""

    def connection_made(self, transport: Any) -> None:
        """Begin a connection."""
        super().connection_made(transport)
        self._connection = Connection(transport)
        self._connection.begin()
        self._connection.take_little(_RECEIVED)

    def data_received(self, data: bytes) -> None:
        """Take what a browser says, for a share of the time; answer a handshake that will not do."""
        began = time.perf_counter()
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            # uvicorn waits for ever for the request that this was to be.
            self.transport.write(b"".join(self.conn.data_to_send()) or _MALFORMED)
            self.transport.close()
            return
        spent = time.perf_counter() - began
        if spent > _NOTICEABLE and not self.transport.is_closing():
            self.transport.pause_reading()
            self.loop.call_later(spent * (1 / _SHARE - 1), self._read_on)

    def send_receive_event_to_app(self) -> None:
        """Hand a message over; end who sends a text that is none."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self._end(1007, "not UTF-8")
                return
        super().send_receive_event_to_app()

    async def send(self, message: Any) -> None:
        """Send what the application says, but nothing after the end."""
        if message["type"] == "websocket.close" and self.close_sent:
            return
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True  # it has been answered; else uvicorn would complain

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

    def handle_cont(self, event: Frame) -> None:
        """Take a further piece of a message; of many pieces, empty ones too, the list would grow for ever."""
        if len(self.frames) >= _MOST_PIECES:
            self._end(1009, "too many pieces")
        else:
            super().handle_cont(event)

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

    def _end(self, code: int, reason: str) -> None:
        self.frames = []
        self.conn.send_close(code, reason)
        self.handle_parser_exception()

    def _read_on(self) -> None:
        if not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()
