"""The resource `/api/events`: changes of labels as server-sent events."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BeforeValidator, WithJsonSchema
from starlette.types import Receive, Scope, Send

from pipeline.access.visitor import visitor_of
from pipeline.http.connection import CONNECTION
from video.api import models
from video.api.answers import NOT_KEPT, as_json, errors, example
from video.api.description import headers
from video.api.labels import CameraName, event_json, filter_for
from video.cameras.history import Filter, History
from video.streams.clients import Clients, TooManyError

_RETRY: Final = 2000  # ms until a browser reconnects
_SIGN_EVERY: Final = 15.0  # s between keep-alive comments
_LOOK_EVERY: Final = 1.0  # s between checks of the visitor's session
_REST: Final = 0.1  # s between two writes: changes of flickering labels are sent in batches
_BATCH: Final = 100  # events
_LONGEST_ID: Final = 20  # digits


async def follow(
    history: History, last: int, requested: Filter, welcome: Callable[[], bool], root: str
) -> AsyncIterator[str]:
    """Yield the text of the events after the one with the id `last`, for as long as the client is welcome.

    There is no queue, only a position in the history: a client that reads slowly misses events that have been
    displaced meanwhile, and gets a `missed` event.
    """
    # Only an id, so that a client that is cut off before its first event also resumes here.
    yield f"retry: {_RETRY}\nid: {last}\n\n"
    reported, wrote = 0, time.monotonic()
    while welcome() and not history.closed:
        news = history.after(last, requested, _BATCH)
        last = news.last
        texts = [f"id: {each.id}\n" + _text("label", event_json(each, history, root)) for each in news.events]
        if news.retained_from is not None and news.retained_from > reported:
            reported = news.retained_from
            texts.insert(0, _text("missed", {"retained_from": str(reported)}))
        if texts or time.monotonic() - wrote >= _SIGN_EVERY:
            wrote = time.monotonic()
            yield "".join(texts) or ":\n\n"
            await asyncio.sleep(_REST)
        await _wait(history, last)


class EventStream(StreamingResponse):
    """Server-sent events to a client, which counts as an open stream."""

    def __init__(self, events: AsyncIterator[str], clients: Clients, welcome: Callable[[], bool]) -> None:
        kept = {**NOT_KEPT, "X-Accel-Buffering": "no"}
        super().__init__(events, media_type="text/event-stream", headers=kept)
        self._clients = clients
        self._welcome = welcome

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the client leaves or the server stops."""
        try:
            with self._clients.join(scope[CONNECTION], self._welcome):
                await super().__call__(scope, receive, send)
        except TooManyError as error:
            answer = as_json({"detail": str(error)}, 503)
            answer.headers["Retry-After"] = "5"
            await answer(scope, receive, send)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ID):
        raise ValueError(f"expected a decimal number of at most {_LONGEST_ID} digits")
    return int(text)


LastId = Annotated[
    int,
    BeforeValidator(_number),
    WithJsonSchema({"type": "string", "pattern": f"^[0-9]{{1,{_LONGEST_ID}}}$"}),
]
"""An event's id in a header."""

_EXAMPLE: Final = (
    f"retry: {_RETRY}\nid: 1795290401000000000\n\n"
    f"event: missed\ndata: {json.dumps(models.MISSED)}\n\n"
    f"id: {models.LABEL_EVENT['id']}\nevent: label\ndata: {json.dumps(models.LABEL_EVENT)}\n\n"
)


def event_routes(history: History, clients: Clients) -> APIRouter:
    """Return the route of a history's events; its streams count among `clients`."""
    router = APIRouter(tags=["labels"])

    @router.get(
        "/api/events",
        summary="Changes of labels as they happen",
        description="Server-sent events, from now on or after the one named by `Last-Event-ID`. Each is a "
        '`label` with a LabelEvent. A `missed`, `{"retained_from": id}`, says that older ones are gone.',
        response_class=StreamingResponse,
        responses={
            200: {**example(_EXAMPLE, "text/event-stream"), "headers": headers("X-Accel-Buffering")},
            **errors(400),
        },
    )
    async def label_events(
        request: Request,
        camera: CameraName = None,
        after: Annotated[
            LastId | None,
            Header(
                alias="Last-Event-ID",
                description="resume after this event",
                examples=[models.LABEL_EVENT["id"]],
            ),
        ] = None,
    ) -> Response:
        visitor = visitor_of(request.scope)
        now = history.mark()
        last = now if after is None else min(after, now)
        root = request.scope.get("root_path", "")
        text = follow(history, last, filter_for(visitor, camera), visitor.welcome, root)
        return EventStream(text, clients, visitor.welcome)

    return router


async def _wait(history: History, last: int) -> None:
    try:
        async with asyncio.timeout(_LOOK_EVERY):
            await history.wait(last)
    except TimeoutError:
        pass


def _text(kind: str, data: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"
