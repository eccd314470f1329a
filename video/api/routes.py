"""All routes of the API."""

from fastapi import APIRouter

from video.api.cameras import cameras
from video.api.events import events
from video.api.labels import labels
from video.api.session import session
from video.cameras.cameras import Board
from video.cameras.history import History
from video.streams.clients import Clients


def router(board: Board, history: History, clients: Clients) -> APIRouter:
    """Return the routes of a board's cameras, of the history of their labels, and of who asks."""
    routes = APIRouter()
    for part in (cameras(board), labels(history), events(history, clients), session()):
        routes.include_router(part)
    return routes
