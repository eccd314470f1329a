"""Everything that runs on the event loop: the cameras, the clients, and the application."""

import asyncio
from collections.abc import Collection, Sequence

from starlette.types import ASGIApp

from pipeline.access.embedding import Embedding
from pipeline.access.front import guarded
from pipeline.access.login import Login
from pipeline.access.login_guard import Passwords
from pipeline.access.session import Sessions
from pipeline.access.write_token import WriteAccess
from video.api.changes import Changes
from video.api.previews import Previews
from video.api.routes import router
from video.cameras.cameras import Cameras
from video.cameras.directory import Directory
from video.cameras.history import History
from video.cameras.processes import Processes
from video.http.heads import Heads
from video.http.routes import application
from video.streams.clients import Clients
from video.streams.metrics import CameraMetrics


class Site:
    """Serves the cameras; `interval` is the shortest time between two frames of an MJPEG stream, in s.

    Without `sessions`, access is open to everyone. `proxies` are the addresses and networks of the proxies
    whose `X-Forwarded-*` headers are trusted, `root` is the path under which they publish the site, and
    `tls` is True if the server itself encrypts its connections. Pages of the `embed_origins` may show
    and read pictures. If access is open, the site answers under its own names and the
    `allowed_hosts` only, and `writes` decides who may change cameras. Changes are written to the `directory`,
    with links of these `schemes`; without it, nobody may change any. `processes` are those of all services.
    """

    def __init__(
        self,
        cameras: Cameras,
        interval: float,
        clients: Clients,
        history: History,
        *,
        sessions: Sessions | None = None,
        proxies: str = "",
        root: str = "",
        tls: bool = False,
        embed_origins: Sequence[str] = (),
        allowed_hosts: Sequence[str] = (),
        directory: Directory | None = None,
        schemes: Collection[str] = (),
        writes: WriteAccess | None = None,
        most_cameras: int = 256,
        processes: Processes | None = None,
    ) -> None:
        self.cameras = cameras
        self.clients = clients
        self.history = history
        cameras.subscribe(history)
        cameras.subscribe(CameraMetrics())
        self._previews = Previews(Changes(cameras, directory, schemes, most_cameras))
        api = router(cameras, history, clients, self._previews, processes)
        inner = application(cameras, clients, api, interval)
        login = Login(sessions, Passwords(), embedded=bool(embed_origins))
        inner.router.routes[:0] = login.routes()
        pictures = Embedding(Heads(inner), embed_origins, is_open=sessions is None)
        self.app: ASGIApp = guarded(
            pictures,
            sessions,
            writes,
            proxies=proxies,
            root=root,
            tls=tls,
            allowed_hosts=allowed_hosts,
            embed_origins=embed_origins,
        )

    def open(self) -> None:
        """Show frames on the running event loop from now on."""
        self.history.open()
        self.cameras.open()

    async def run(self) -> None:
        """Do the periodic work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.cameras.watch())
            tasks.create_task(self.clients.watch())
            tasks.create_task(self._previews.watch())

    def close(self) -> None:
        """End all streams."""
        self.cameras.close()
        self.history.close()
