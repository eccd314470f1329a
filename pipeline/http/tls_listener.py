"""Accepts TLS connections, and answers plain HTTP on their port with a hint."""

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable, Collection
from typing import Final

import prometheus_client

from pipeline.http.tls import Certificate
from pipeline.service.logs import Seldom
from pipeline.service.networks import network_of

log = logging.getLogger(__name__)

_PATIENCE: Final = 10.0  # s for the first byte, and for the handshake
_MOST: Final = 512  # connections before the end of their handshake
_HANDSHAKE: Final = b"\x16"  # the first byte of a client's first record, see RFC 8446, section 5.1
_LONGEST_READ: Final = 64 * 1024  # bytes of a plain request, so that the answer is not lost
_TEXT: Final = b"This port expects HTTPS: open https:// instead of http://.\n"
_HINT: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n"
    b"X-Content-Type-Options: nosniff\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
    % (len(_TEXT), _TEXT)
)

_FAILED = prometheus_client.Counter(
    "streamlens_tls_failed", "Connections that ended before TLS began", ["reason"]
)


class TlsListener:
    """Hands each connection that begins with TLS to a protocol, with the certificate that is valid then.

    A server of asyncio would keep its first context, and drop whatever is not TLS without an answer.
    `refuse` returns whether a client's connection is one too many; it also gets the network of each
    connection that has not finished its handshake.
    """

    def __init__(
        self,
        listener: socket.socket,
        certificate: Certificate,
        protocol: Callable[[], asyncio.Protocol],
        refuse: Callable[[tuple[str, int], Collection[str]], bool],
    ) -> None:
        listener.setblocking(False)
        self._listener = listener
        self._certificate = certificate
        self._protocol = protocol
        self._refuse = refuse
        self._greetings: dict[asyncio.Task[None], str] = {}  # with the client's network; the oldest first
        self._seldom = Seldom(log)

    async def run(self) -> None:
        """Accept connections until cancelled; then close the listener."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                await asyncio.sleep(0)  # a flood of connections must not hold up the video
                try:
                    connection, client = await loop.sock_accept(self._listener)
                except OSError as error:  # too many open files
                    self._seldom.warning("accept", f"cannot accept a connection: {error.strerror}")
                    await asyncio.sleep(1)
                    continue
                network = network_of(client[0])
                if self._refuse(client, [*self._greetings.values(), network]):
                    connection.close()
                    continue
                if len(self._greetings) >= _MOST:
                    self._fail("too many", f"more than {_MOST} connections have not finished their handshake")
                    self._make_room()
                greeting = asyncio.create_task(self._greet(connection))
                self._greetings[greeting] = network
                greeting.add_done_callback(self._greeted)
        finally:
            for greeting in self._greetings:
                greeting.cancel()
            self._listener.close()

    def _make_room(self) -> None:
        """End the oldest one of the network with the most: honest clients have sent something by now."""
        crowd, _ = Counter(self._greetings.values()).most_common(1)[0]
        oldest = next(greeting for greeting, network in self._greetings.items() if network == crowd)
        del self._greetings[oldest]
        oldest.cancel()

    async def _greet(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(_PATIENCE):
                first = await _first_byte(connection)
                if not first:
                    return
                if first != _HANDSHAKE:
                    self._fail("not TLS", "a connection did not begin with TLS: browsers must open https://")
                    await loop.sock_recv(connection, _LONGEST_READ)
                    await loop.sock_sendall(connection, _HINT)
                    connection.shutdown(socket.SHUT_WR)
                    return
                context = self._certificate.context
                # The copy belongs to the transport.
                await loop.connect_accepted_socket(self._protocol, connection.dup(), ssl=context)
        except TimeoutError:
            _FAILED.labels("too slow").inc()
        except OSError:  # such as a client that does not trust the certificate
            _FAILED.labels("handshake").inc()
        finally:
            connection.close()

    def _greeted(self, greeting: asyncio.Task[None]) -> None:
        self._greetings.pop(greeting, None)
        if not greeting.cancelled():
            greeting.result()

    def _fail(self, reason: str, text: str) -> None:
        _FAILED.labels(reason).inc()
        self._seldom.warning(reason, text)


async def _first_byte(connection: socket.socket) -> bytes:
    """Wait for the first byte, and leave it there; it is empty if the client has left."""
    loop, arrived = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection, arrived.set)
    try:
        await arrived.wait()
    finally:
        loop.remove_reader(connection)
    return connection.recv(1, socket.MSG_PEEK)
