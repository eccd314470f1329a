"""The HTTP server: its socket, its event loop, its shutdown."""

import asyncio
import contextlib
import logging
import resource
import socket
import sys
from functools import partial
from typing import Final, Protocol, cast

import uvicorn
from starlette.types import ASGIApp

from pipeline.http.connections import Connections
from pipeline.http.protocol import HttpProtocol
from pipeline.http.tls import Certificate
from pipeline.http.tls_listener import TlsListener
from pipeline.http.websocket import WebSocketProtocol
from pipeline.service import listening
from pipeline.service.settings import SettingsError
from pipeline.service.values import Address
from pipeline.service.workers import Pulse

# socket.TCP_NOTSENT_LOWAT exists since Python 3.12.
_TCP_NOTSENT_LOWAT: Final = {"linux": 25, "darwin": 0x201}.get(sys.platform)
_UNSENT: Final = 16_384  # bytes
_GRACE: Final = 1.5  # s for clients to read the rest
_LONGEST_MESSAGE: Final = 64 * 1024  # bytes of a browser's message
_PING: Final = 20.0  # s
_RENEW_EVERY: Final = 5.0  # s


class Site(Protocol):
    """An application, and what else runs on its event loop."""

    app: ASGIApp

    def open(self) -> None:
        """Begin, on the running event loop."""

    async def run(self) -> None:
        """Do the periodic work until cancelled."""

    def close(self) -> None:
        """End what clients wait for."""


def listen(address: Address, *, share: bool = False) -> socket.socket:
    """Return a listening socket; raise `SettingsError` if the address is taken.

    With `share`, several processes may listen on it: the kernel distributes the connections.

    TCP_NOTSENT_LOWAT keeps the kernel from accepting more than 16 KB ahead of the network: frames wait here,
    where a newer one can replace them. A client that reads 10 of 25 frames per second gets them 0.35 s old,
    instead of 5.3 s old (measured).
    """
    try:
        listener = listening.listen(address, share=share)
    except OSError as error:
        raise SettingsError(f"DISPLAYPORT='{address}': cannot listen there: {error.strerror}") from None
    if _TCP_NOTSENT_LOWAT is not None:
        listener.setsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, _UNSENT)
    return listener


def allow_files() -> None:
    """Raise the limit of open files to its maximum: each client needs two."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class _Seldom(logging.Filter):
    """Lets each message pass once a minute: uvicorn logs every malformed request."""

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log this."""
        if record.created - self._passed.get(str(record.msg), 0.0) < 60:
            return False
        self._passed[str(record.msg)] = record.created
        return True


class _Server(uvicorn.Server):
    """A uvicorn server that wakes once a second, for its Date header; uvicorn's own loop polls 10 times."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Make `serve` return immediately."""
        self.should_exit = True
        self._stopped.set()

    def protocol(self) -> asyncio.Protocol:
        """Return what handles another connection, as uvicorn's own servers do."""
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state={}
        )

    async def main_loop(self) -> None:
        """Wait for `stop`."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), 1.0)


class WebServer:
    """Serves a site on a listening socket.

    Requests must arrive within ten seconds. With `body_pause`, their bodies may take longer, but not pause
    for that many s.
    """

    def __init__(
        self,
        site: Site,
        listener: socket.socket,
        connections: Connections,
        certificate: Certificate | None = None,
        *,
        body_pause: float | None = None,
    ) -> None:
        self._site = site
        self._listener = listener
        self._connections = connections
        self._certificate = certificate
        logger = logging.getLogger("uvicorn.error")
        logger.filters = [_Seldom()]
        self._config = uvicorn.Config(
            site.app,
            http=cast("type[asyncio.Protocol]", partial(HttpProtocol, connections, body_pause)),
            ws=WebSocketProtocol,
            ws_max_size=_LONGEST_MESSAGE,
            ws_per_message_deflate=False,  # JPEGs do not compress, and their frames are shared by all clients
            ws_ping_interval=_PING,
            ws_ping_timeout=_PING,
            proxy_headers=False,  # handled by access.proxy.ProxyHeaders
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=2,  # otherwise an endless stream would block the shutdown
        )

    def run(self, pulse: Pulse) -> None:
        """Serve until `pulse.stopping` is set."""
        with asyncio.Runner(loop_factory=self._config.get_loop_factory()) as runner:
            runner.run(self._serve(pulse))

    def close(self) -> None:
        """Release the port."""
        self._listener.close()

    async def _serve(self, pulse: Pulse) -> None:
        server = _Server(self._config)
        self._site.open()
        # Whoever listens closes the socket, but a restarted worker needs it again.
        listener = self._listener.dup()
        over_tls = None
        if self._certificate is not None:
            over_tls = TlsListener(
                listener,
                self._certificate,
                server.protocol,
                lambda client, greeting: self._connections.refuse(
                    client, server.server_state.connections, greeting
                ),
            )
        serving = asyncio.ensure_future(server.serve(sockets=[] if over_tls else [listener]))
        running = asyncio.ensure_future(self._run_site(over_tls))
        try:
            while not (pulse.stopping.is_set() or serving.done() or running.done()):
                pulse.beat()
                await asyncio.wait([serving, running], timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
        finally:
            running.cancel()
            self._site.close()
            server.stop()
            await asyncio.wait([serving, running], timeout=_GRACE)
            for connection in list(server.server_state.connections):
                connection.transport.abort()  # its client does not read the end of its stream
            await serving
        if not running.cancelled():
            running.result()  # a bug there ends the worker, which the service restarts

    async def _run_site(self, over_tls: TlsListener | None) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._site.run())
            if self._certificate is not None and over_tls is not None:
                tasks.create_task(_renew(self._certificate))
                tasks.create_task(over_tls.run())


async def _renew(certificate: Certificate) -> None:
    while True:
        await asyncio.sleep(_RENEW_EVERY)
        certificate.refresh()
