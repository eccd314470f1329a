"""The resources `/api/labels` and `/api/events/{event}.jpg`: past labels and their pictures."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import Response

from pipeline.access.queue import FullError, Queue
from pipeline.access.visitor import Visitor, visitor_of
from video.api import models
from video.api.answers import NOT_KEPT, as_list, errors, example, written
from video.api.moments import Moment, iso
from video.cameras.history import Filter, History, LabelEvent
from video.cameras.scale import thumbnail

_MOST_WAITING: Final = 256  # searches, and pictures that are made smaller
_T = TypeVar("_T")


def event_json(event: LabelEvent, history: History, root: str) -> dict[str, Any]:
    """Return an event as JSON; `root` is the root path before all addresses."""
    kept = history.snapshot(event.id) is not None
    return {
        "id": str(event.id),
        "time": iso(event.time),
        "camera": event.camera,
        "model": event.model,
        "label": event.label,
        "score": None if event.score is None else round(event.score, 4),
        "previous": event.previous,
        "seq": event.seq,
        "snapshot": f"{root}/api/events/{event.id}.jpg" if kept else None,
    }


def filter_for(visitor: Visitor, camera: str | None) -> Filter:
    """Return a filter for the cameras that the visitor may see, or for one of them."""
    if camera is None:
        return visitor.may_see
    return lambda name: name == camera and visitor.may_see(name)


CameraName = Annotated[str | None, Query(description="only this camera", examples=["door"])]
"""The parameter that selects a camera."""


def label_routes(history: History) -> APIRouter:
    """Return the routes of a history's events and pictures."""
    router = APIRouter(tags=["labels"])
    # Searching all events can take longer than a frame; the video must not wait for it.
    queue = Queue("labels", _MOST_WAITING)

    async def wait_for(work: Callable[[], _T]) -> _T:
        try:
            return await queue.run(work)
        except FullError:
            text = f"{_MOST_WAITING} requests are waiting already; try again later"
            raise HTTPException(503, text, {**NOT_KEPT, "Retry-After": "1"}) from None

    @router.get(
        "/api/labels",
        summary="Changes of labels, newest first",
        description="The most recent changes of each camera, as far as this server has kept them.",
        response_model=list[models.LabelEvent],
        responses={200: example([models.LABEL_EVENT]), **errors(400)},
    )
    async def all_labels(
        request: Request,
        *,
        camera: CameraName = None,
        label: Annotated[str, Query(description="a part of the label, in upper or lower case")] = "",
        start: Annotated[
            Moment | None, Query(alias="from", description="not before", examples=["2026-11-21T19:46:47Z"])
        ] = None,
        end: Annotated[
            Moment | None, Query(alias="to", description="not after", examples=["1795290407"])
        ] = None,
        limit: Annotated[int, Query(ge=1, le=1000, description="maximum number of events")] = 100,
    ) -> Response:
        requested = filter_for(visitor_of(request.scope), camera)
        root = request.scope.get("root_path", "")

        def search() -> list[bytes]:
            events = history.select(requested, limit, label=label, start=start, end=end)
            return [written(event_json(event, history, root)) for event in events]

        return as_list(await wait_for(search))

    @router.get(
        "/api/events/{event}.jpg",
        summary="The picture on which a label appeared",
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {}}, "description": "The frame"}, **errors(400, 404)},
    )
    async def snapshot(
        request: Request,
        event: Annotated[str, Path(description="the event's id", examples=[models.LABEL_EVENT["id"]])],
        width: Annotated[
            int, Query(ge=0, le=65_535, description="a width in px that is enough; 0: the frame itself")
        ] = 0,
    ) -> Response:
        number = int(event) if event.isascii() and event.isdecimal() and len(event) <= 20 else 0
        camera, jpeg = history.snapshot(number) or ("", b"")
        if not (jpeg and visitor_of(request.scope).may_see(camera)):
            raise HTTPException(404, f"no picture is kept for event {event[:40]!r}", NOT_KEPT)
        if width:
            jpeg = await wait_for(partial(thumbnail, jpeg, width))
        return Response(jpeg, media_type="image/jpeg", headers=NOT_KEPT)

    return router
