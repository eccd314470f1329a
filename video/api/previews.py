"""Previews: cameras that are looked at before they are added, for a short time."""

import asyncio
import logging
import secrets
import time
from contextlib import suppress
from typing import Final

from fastapi import APIRouter, HTTPException, Request
from fastapi import Path as PathParameter
from fastapi.responses import Response

from pipeline.cameras.record import PREVIEW, CameraRecord, is_preview
from video.api import fields
from video.api.answers import NOT_KEPT, as_json, changes, example
from video.api.bodies import read_object
from video.api.changes import Changes, explained
from video.api.records import PREVIEW_FIELDS, FieldError, checked_record
from video.cameras.directory import Directory, UnavailableError

log = logging.getLogger(__name__)

MOST_PREVIEWS: Final = 4
"""Previews that may be open at a time, at all servers together."""

_LENGTH: Final = 90.0  # s
_LEFT_OVER: Final = 5.0  # s after which the preview of another server is removed
_LOOK_EVERY: Final = 1.0  # s


class Previews:
    """Writes previews as records, and removes them when they are over."""

    def __init__(self, changing: Changes) -> None:
        self.changing = changing
        self._own: set[str] = set()

    async def open(self, request: Request) -> Response:
        """Open a preview."""
        directory, _ = self.changing.allow(request)
        sent = await read_object(request)
        until = round(time.time() + _LENGTH, 3)
        try:
            record = checked_record(sent, self.changing.schemes, allowed=PREVIEW_FIELDS)
        except FieldError as error:
            raise HTTPException(400, str(error), NOT_KEPT) from None
        self.changing.count(directory)
        _count(directory)
        name = f"{PREVIEW}{secrets.token_hex(8)}"
        record = record.model_copy(update={"until": until, "partition": directory.partition()})
        self._own.add(name)
        with explained():
            await directory.put(name, record)
        return as_json({"name": name, "until": until}, 201)

    async def close(self, request: Request, name: str) -> Response:
        """End a preview before its time."""
        directory, _ = self.changing.allow(request)
        if not is_preview(name) or name not in directory.known():
            raise HTTPException(404, f"no preview {name[:40]!r}: it may have ended", NOT_KEPT)
        with explained():
            await directory.remove(name)
        self._own.discard(name)
        return Response(status_code=204, headers=NOT_KEPT)

    async def watch(self) -> None:
        """Keep removing previews that are over."""
        while (directory := self.changing.directory) is not None:
            await asyncio.sleep(_LOOK_EVERY)
            await self.sweep(directory)

    async def sweep(self, directory: Directory) -> None:
        """Remove the previews that are over, also those that a server which died has left."""
        now = time.time()
        for name, record in directory.known().items():
            if not isinstance(record, CameraRecord) or not is_preview(name):
                continue
            if record.has_ended(now if name in self._own else now - _LEFT_OVER):
                with suppress(UnavailableError):  # once Kafka is back
                    await directory.remove(name)
                    self._own.discard(name)


def preview_routes(previews: Previews) -> APIRouter:
    """Return the routes of previews."""
    router = APIRouter(tags=["cameras"])

    @router.post(
        "/api/previews",
        summary="Look at a camera before it is added",
        description="Its picture is at `/stream/{name}`, its state at `/api/cameras/{name}`, until it ends.",
        status_code=201,
        response_model=fields.Preview,
        responses={201: example(fields.PREVIEW), **changes(409, 429)},
        openapi_extra=fields.body(fields.PreviewFields),
    )
    async def open_preview(request: Request) -> Response:
        return await previews.open(request)

    @router.delete("/api/previews/{preview}", summary="End a preview", status_code=204, responses=changes())
    async def close_preview(
        request: Request,
        preview: str = PathParameter(description="the preview's name", examples=[fields.PREVIEW["name"]]),
    ) -> Response:
        return await previews.close(request, preview)

    return router


def _count(directory: Directory) -> None:
    now = time.time()
    ends = [
        each.until
        for each in directory.known().values()
        if isinstance(each, CameraRecord) and each.until is not None and not each.has_ended(now)
    ]
    if len(ends) >= MOST_PREVIEWS:
        seconds = max(1, round(min(ends) - now))
        text = f"{MOST_PREVIEWS} previews are open: try again in {seconds} s"
        raise HTTPException(429, text, {**NOT_KEPT, "Retry-After": str(seconds)})
