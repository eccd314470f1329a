"""All routes of the API."""

from fastapi import APIRouter

from video.api.cameras import camera_routes
from video.api.events import event_routes
from video.api.labels import label_routes
from video.api.session import session_routes
from video.cameras.cameras import Cameras
from video.cameras.history import History
from video.streams.clients import Clients


def router(cameras: Cameras, history: History, clients: Clients) -> APIRouter:
    """Return the routes of the cameras, the history of their labels, and the session."""
    routes = APIRouter()
    for part in (
        camera_routes(cameras),
        label_routes(history),
        event_routes(history, clients),
        session_routes(),
    ):
        routes.include_router(part)
    return routes
