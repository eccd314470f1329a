"""The application is complete before the first request, which would hold up the video otherwise."""

import pytest

from pipeline.flow.ledger import Ledger
from video.api.routes import router
from video.cameras.camera import Limits
from video.cameras.cameras import Cameras
from video.cameras.history import History
from video.http.routes import application
from video.streams.clients import Clients


def test_no_request_has_to_complete_the_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    cameras, clients = Cameras(Limits(3, 5), Ledger()), Clients(100, 30)
    app = application(cameras, clients, router(cameras, History(), clients), 0.04)

    # What FastAPI calls for each route, the first time that it looks for one.
    monkeypatch.setattr("fastapi.routing.get_dependant", lambda **_: pytest.fail("a route is not complete"))

    scope = {"type": "http", "method": "GET", "path": "/api/status", "root_path": "", "headers": []}
    assert any(route.matches(scope)[0].value for route in app.routes)
