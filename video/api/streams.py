"""The resource `/api/streams`: the ids of the streams with one model's labels, as in Elastic Inference."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipeline.access.embedding import reading_headers
from pipeline.access.visitor import visitor_of
from video.api import models
from video.api.answers import as_json, errors, example
from video.api.description import READABLE, headers
from video.cameras.cameras import Cameras
from video.streams.inferred.streams import found


def stream_routes(cameras: Cameras) -> APIRouter:
    """Return the routes of the list of streams; its old documents have another name for it."""
    router = APIRouter(tags=["streams"])

    async def all_streams(request: Request) -> Response:
        there, left_out = found(cameras, visitor_of(request.scope))
        answer: dict[str, Any] = {"streams": [str(each) for each in there]}
        if left_out:
            answer["left_out"] = [{"stream": str(each.identity), "reason": each.reason} for each in left_out]
        response = as_json(answer)
        response.headers.update(reading_headers(request.scope))
        return response

    for path in ("/api/streams", "/api/stream"):
        router.add_api_route(
            path,
            all_streams,
            summary="The streams with one model's labels each; a WebSocket at `/ID` sends one's pictures",
            response_model=models.Streams,
            responses={200: {**example(models.STREAMS), "headers": headers(*READABLE)}, **errors()},
        )
    return router
