"""Uvicorn's HTTP protocol with limits, extended to pass the raw target of a request to the application.

uvicorn limits neither the head of a request nor the time in which it arrives.
"""

import asyncio
import re
from typing import Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pipeline.service.networks import network_of
from tfserving.server.crowd import crowd

MOST_CONNECTIONS: Final = 256
"""Beyond that, one of the client with the most is closed: of those without a complete request, the oldest."""

LONGEST_HEAD: Final = 64 * 1024  # bytes of a request line and its headers
LONGEST_HEAD_TIME: Final = 10.0  # s for them to arrive
LONGEST_UNREAD: Final = 30.0  # s for an answer to be read

MOST_PIPELINED: Final = 16
"""The most requests of a connection that wait for the answers to those before."""

_TOO_LONG: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)
_ORIGIN: Final = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)


class RestProtocol(HttpToolsProtocol):
    """Adds `scope["state"]["target"]`: the path, the query and the fragment, all undecoded."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection, and close another if there are too many."""
        super().connection_made(transport)
        self._host = network_of(self.client[0]) if self.client else ""
        self._is_working = False
        self._waits_since = self.loop.time()
        self._head = 0  # bytes
        self._timer: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._expect_head()
        if len(self.connections) > MOST_CONNECTIONS:
            connections = cast("set[RestProtocol]", self.connections)
            crowded = crowd({each: each._host for each in connections})
            min(crowded, key=lambda each: (each._is_working, each._waits_since)).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._stop_timer()
        self._stop_patience()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse a part of a request, unless its head has become too long."""
        idle = self.cycle is None or self.cycle.response_complete
        if idle and self._timer is None:
            self._expect_head()  # also if these are only empty lines: they stop uvicorn's own timer
        if self._timer is not None:
            self._head += len(data)
        super().data_received(data)
        if self._timer is not None and self._head > LONGEST_HEAD and not self.transport.is_closing():
            self.transport.write(_TOO_LONG)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin a request, unless too many wait already."""
        if len(self.pipeline) >= MOST_PIPELINED:
            raise ValueError("too many requests at once")  # which the parser reports: 400
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Keep the target before uvicorn splits it and drops the fragment."""
        self._stop_timer()
        self._head = 0
        self.scope["state"]["target"] = _ORIGIN.sub(b"", self.url, count=1)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that a request has arrived."""
        self._is_working = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Note that the next request is awaited."""
        self._is_working = False
        self._waits_since = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Note that the client does not keep up with its answer."""
        super().pause_writing()
        self._unread = self.loop.call_later(LONGEST_UNREAD, self.transport.abort)

    def resume_writing(self) -> None:
        """Note that the client has caught up."""
        self._stop_patience()
        super().resume_writing()

    def _expect_head(self) -> None:
        self._timer = self.loop.call_later(LONGEST_HEAD_TIME, self.transport.close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stop_patience(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
