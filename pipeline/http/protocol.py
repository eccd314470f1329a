"""HTTP connections: uvicorn's protocol with limits, and with a `Connection` in each scope.

It relies on hooks of uvicorn/protocols/http/httptools_impl.py, see
https://github.com/encode/uvicorn/blob/master/uvicorn/protocols/http/httptools_impl.py.
"""

import asyncio
from typing import Any, Final

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from pipeline.http.connection import CONNECTION, Connection
from pipeline.http.connections import REFUSED, Connections

_LONGEST_HEAD: Final = 64 * 1024  # bytes of a request line and its headers
_HEAD_TIMEOUT: Final = 10.0  # s for them to arrive
_UNREAD_TIMEOUT: Final = 120.0  # s for a response to be read
_MOST_PIPELINED: Final = 16  # requests of a connection that wait for the answers to those before
_TOO_LONG: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)


class HttpProtocol(HttpToolsProtocol):
    """Limits a request to 10 s and its head to 64 KB, and ignores requests during a stream.

    uvicorn limits neither: its `h11_max_incomplete_event_size` and its keep-alive timeout do not apply to a
    request that httptools is still parsing. With `body_pause`, a request's body may take any time, as long as
    no pause is longer than this, in s.
    """

    def __init__(self, connections: Connections, body_pause: float | None = None, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._limit = connections
        self._body_pause = body_pause

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection, or end it if there are too many."""
        super().connection_made(transport)
        self._connection = Connection(transport)
        self._connection.begin()
        self._head = 0  # bytes of a request's head that have come, as long as it is not complete
        self._in_head = True
        self._received_at = self.loop.time()
        self._is_too_long = False
        self._trouble = ""  # with a request, other than what the parser finds
        self._unread: asyncio.TimerHandle | None = None
        self._next: tuple[RequestResponseCycle, ASGI3Application] | None = None  # until there is room
        self._waiting: asyncio.TimerHandle | None = self.loop.call_later(_HEAD_TIMEOUT, self._too_slow)
        if self._limit.refuse(self.client, self.connections):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._stop_waiting()
        self._stop_patience()
        super().connection_lost(exc)
        self._connection.lost()

    def data_received(self, data: bytes) -> None:
        """Parse a request, unless its head has become too long."""
        if self._connection.streaming:
            return
        self._head += len(data) if self._in_head else 0
        self._received_at = self.loop.time()
        super().data_received(data)
        if self._in_head and self._head > _LONGEST_HEAD and not self.transport.is_closing():
            self._refuse_head()
        idle = self.cycle is not None and self.cycle.response_complete
        if idle and self._waiting is None and not self.transport.is_closing():
            # Empty lines before a request do not begin one, but have stopped uvicorn's keep-alive timer.
            self._waiting = self.loop.call_later(_HEAD_TIMEOUT, self._too_slow)

    def on_message_begin(self) -> None:
        """Begin a request."""
        if len(self.pipeline) >= _MOST_PIPELINED:
            REFUSED.labels("too many requests").inc()
            raise ValueError("too many requests at once")  # which the parser reports: 400
        super().on_message_begin()
        self.scope[CONNECTION] = self._connection  # type: ignore[typeddict-unknown-key]
        if self._waiting is None:
            self._waiting = self.loop.call_later(_HEAD_TIMEOUT, self._too_slow)

    def on_headers_complete(self) -> None:
        """Answer a request, unless its head is too long."""
        self._in_head = False
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > _LONGEST_HEAD:
            self._is_too_long = True
            raise ValueError("head too long")  # which the parser reports
        # RFC 9112, 3.2. HTTP/1.0 has no such header.
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() != "1.0"):
            self._trouble = f"expected one Host header, found {hosts or 'none'}"
            raise ValueError(self._trouble)
        super().on_headers_complete()
        if self._body_pause is not None:
            self._stop_waiting()
            self._waiting = self.loop.call_later(self._body_pause, self._look_at_body, self._body_pause)

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser has reported."""
        if self._is_too_long:
            self._refuse_head()
        else:
            super().send_400_response(self._trouble or msg)

    def on_message_complete(self) -> None:
        """End a request."""
        self._stop_waiting()
        self._head, self._in_head = 0, True
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over."""
        self._stop_waiting()
        self._stop_patience()
        super().handle_websocket_upgrade()
        self._connection.lost()

    def pause_writing(self) -> None:
        """Note that the kernel has no room."""
        super().pause_writing()
        self._connection.filled()
        if not self._connection.streaming:  # `Clients` watches streams and WebSockets
            self._unread = self.loop.call_later(_UNREAD_TIMEOUT, self._not_read)

    def resume_writing(self) -> None:
        """Note that the kernel has taken everything."""
        super().resume_writing()
        self._stop_patience()
        self._connection.drained()
        if self._next is not None and not self.transport.is_closing():
            cycle, app = self._next
            self._next = None
            self.flow.resume_reading()
            super()._start_asgi_task(cycle, app)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Answer a request, but only after the kernel has taken the last answer: both take memory."""
        if self.flow.write_paused:
            self.flow.pause_reading()
            self._next = cycle, app
        else:
            super()._start_asgi_task(cycle, app)

    def _refuse_head(self) -> None:
        REFUSED.labels("head too long").inc()
        self.transport.write(_TOO_LONG)
        self.transport.close()

    def _too_slow(self) -> None:
        REFUSED.labels("request too slow").inc()
        self.transport.close()

    def _look_at_body(self, longest: float) -> None:
        """End the connection if no part of a request's body has come for so many s, although we read."""
        if self.flow.read_paused:
            self._received_at = self.loop.time()
        if (left := self._received_at + longest - self.loop.time()) > 0:
            self._waiting = self.loop.call_later(left, self._look_at_body, longest)
        else:
            self._too_slow()

    def _not_read(self) -> None:
        REFUSED.labels("answer not read").inc()
        self.transport.abort()

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _stop_patience(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
