"""All routes of the API."""

from fastapi import APIRouter

from video.api.cameras import camera_routes
from video.api.changes import WITHOUT, Changes, change_routes
from video.api.events import event_routes
from video.api.labels import label_routes
from video.api.previews import Previews, preview_routes
from video.api.session import session_routes
from video.api.status import status_routes
from video.api.streams import stream_routes
from video.cameras.cameras import Cameras
from video.cameras.history import History
from video.cameras.processes import Processes
from video.streams.clients import Clients


def router(
    cameras: Cameras,
    history: History,
    clients: Clients,
    previews: Previews | None = None,
    processes: Processes | None = None,
) -> APIRouter:
    """Return the routes of the cameras, the history of their labels, the status, and the session.

    Without `previews`, cameras are not kept as data, and nobody changes them. Without `processes`, none
    reports.
    """
    previews = previews or Previews(Changes(cameras))
    changing = previews.changing
    routes = APIRouter()
    for part in (
        camera_routes(cameras),
        change_routes(changing),
        preview_routes(previews),
        label_routes(history),
        event_routes(history, clients),
        status_routes(cameras, processes or Processes()),
        stream_routes(cameras),
        session_routes(None if changing.directory else WITHOUT),
    ):
        routes.include_router(part)
    return routes
