"""Everything that runs on the event loop: the API and the page, behind the gate."""

import asyncio
import socket
from typing import Final

from starlette.types import ASGIApp

from pipeline.access.front import guarded
from pipeline.access.login import Login
from pipeline.access.login_guard import Passwords
from pipeline.access.session import Sessions
from pipeline.access.write_token import WriteAccess
from pipeline.http.connections import Connections
from pipeline.http.server import WebServer
from pipeline.http.tls import Certificate
from training.api.application import create_app, limited
from training.api.page import is_api
from training.api.parts import Parts
from training.api.rights import Rights
from training.job_tokens import JobTokens
from training.settings import TrainingSettings

BODY_PAUSE: Final = 60.0
"""The s without any byte after which the upload of a request ends."""


class Site:
    """Serves the service. Without `sessions`, everyone sees all, and `writes` says who may change it."""

    def __init__(
        self,
        parts: Parts,
        settings: TrainingSettings,
        sessions: Sessions | None,
        writes: WriteAccess | None,
        tokens: JobTokens,
    ) -> None:
        inner = create_app(parts)
        inner.router.routes[:0] = Login(sessions, Passwords()).routes()
        self.app: ASGIApp = guarded(
            Rights(limited(inner)),
            sessions,
            writes,
            proxies=settings.trustedproxies,
            root=settings.rootpath,
            tls=settings.tlscert is not None,
            allowed_hosts=settings.hosts,
            guests=tokens.find,
            is_api=is_api,
        )

    def open(self) -> None:
        """Do nothing: requests bring all the work."""

    async def run(self) -> None:
        """Wait until cancelled."""
        await asyncio.Event().wait()

    def close(self) -> None:
        """Do nothing: the server ends the connections."""


def web_server(
    site: Site, listener: socket.socket, connections: Connections, certificate: Certificate | None = None
) -> WebServer:
    """Return what serves a site; uploads may pause for longer than other requests."""
    return WebServer(site, listener, connections, certificate, body_pause=BODY_PAUSE)
