"""The resource `/api/status`: the services, and the flow of each camera's frames through them."""

import asyncio
import gzip
import hashlib
import json
import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from pipeline.access.queue import FullError, Queue
from pipeline.access.visitor import Visitor, visitor_of
from pipeline.cameras.record import is_preview
from video.api.answers import NOT_KEPT, errors, example
from video.api.description import headers
from video.api.openapi import takes_gzip
from video.api.overview import Listed, overview
from video.api.status_models import STATUS, StatusOverview
from video.api.view import View
from video.cameras.cameras import Cameras
from video.cameras.processes import Processes

_MOST_WAITING: Final = 256  # requests
_AT_ONCE: Final = 100  # cameras listed before the event loop does its other work: a quarter of a millisecond
_KEPT: Final = {"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
_FAST: Final = 1  # gzip's level: this makes a tenth of it


def status_routes(cameras: Cameras, processes: Processes) -> APIRouter:
    """Return the route of the overview."""
    router = APIRouter(tags=["status"])
    # Adding up takes longer than a frame; the video must not wait for it.
    queue = Queue("status", _MOST_WAITING)
    lists = asyncio.Lock()

    @router.get(
        "/api/status",
        summary="The services, and the flow of frames through them",
        description="What all services report, every two seconds; rates are over the last ten. An answer that"
        " has not changed since the one named by `If-None-Match` is a 304.",
        response_model=StatusOverview,
        responses={
            200: {**example(STATUS), "headers": headers("Content-Encoding", "ETag", "Vary")},
            304: {"description": "It has not changed"},
            **errors(),
        },
    )
    async def overview_of_all(request: Request) -> Response:
        visitor = visitor_of(request.scope)
        async with lists:
            listed = await _listed(cameras)
        notes = [f"no frames can be read: {why}"] if (why := cameras.broker) else []
        compressed = takes_gzip(request.headers.get("accept-encoding", ""))
        try:
            body, tag = await queue.run(
                lambda: _body(processes, listed, visitor, notes, compressed=compressed)
            )
        except FullError:
            text = f"{_MOST_WAITING} requests are waiting already; try again later"
            raise HTTPException(503, text, {**NOT_KEPT, "Retry-After": "1"}) from None
        kept = {**_KEPT, "ETag": tag}
        if tag in re.findall(r'"[^"]*"', request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=kept)
        coding = {"Content-Encoding": "gzip"} if compressed else {}
        return Response(body, headers={**kept, **coding}, media_type="application/json")

    return router


async def _listed(cameras: Cameras) -> list[Listed]:
    found = []
    for number, camera in enumerate(cameras.listed(), 1):
        found.append(Listed(camera.name, *camera.condition()))
        # Seldom: while other threads compute, the loop may wait for them each time that it looks for work.
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
    return found


def _body(
    processes: Processes,
    listed: Sequence[Listed],
    visitor: Visitor,
    notes: Sequence[str],
    *,
    compressed: bool,
) -> tuple[bytes, str]:
    """Return the answer for a visitor, and its tag."""
    current = processes.current()
    may_see = cache(visitor.may_see)
    names = {*(each.name for each in listed), *(name for each in current for name in each.figures or ())}
    view = View(
        may_see,
        sees_all=all(is_preview(name) or may_see(name) for name in names),
        # While access is open, everyone sees everything. Users who may change nothing learn no hosts' names.
        processes=visitor.name is None or visitor.lacks("operator") is None,
    )
    found = overview(current, listed, view, processes.me, [*notes, *processes.notes()])
    body = json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()
    if compressed:
        body = gzip.compress(body, _FAST, mtime=0)
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'
