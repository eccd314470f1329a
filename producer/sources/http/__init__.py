"""Cameras over HTTP: Motion JPEG, a picture per request, or a video that FFmpeg reads."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import requests

from pipeline.wire import jpeg
from producer.sources.causes import GZIP, NOT_A_VIDEO
from producer.sources.ffmpeg import CONTAINERS, open_video
from producer.sources.film import FilmSource
from producer.sources.http import kinds
from producer.sources.http.animation import Animation
from producer.sources.http.body import Bodies
from producer.sources.http.mjpeg import MjpegSource
from producer.sources.http.pictures import LARGEST_PART
from producer.sources.http.request import Camera, length_of, read
from producer.sources.http.snapshot import SnapshotSource, body, pictures_in
from producer.sources.source import CaptureError, Limits, Source
from producer.sources.stream import StreamSource
from producer.sources.video import Video

_URL: Final = "expected the URL of its video, which its manual names"
_NO_KEY: Final = "its encrypted video cannot be read: the key is wrong, or not on the camera's host"
_TIMES: Final = 2  # as long as the first picture of a slow camera took, the others may take
_OPTIONS: Final = {
    "format_whitelist": f"hls,{CONTAINERS}",
    # Every URL is opened by us. "crypto" is how HLS encrypts.
    "protocol_whitelist": "http,https,crypto",
    # FFmpeg's HLS aborts the process if it is to keep a connection that it has not opened itself.
    "http_persistent": "0",
    "http_multiple": "0",
}


def open_source(link: str, limits: Limits, interval: float = 0) -> Source:
    """Open the camera at a URL, whatever it sends; raise `CaptureError` if that fails."""
    camera = Camera(link, limits)
    try:
        return _source(camera, limits, interval)
    except BaseException:
        camera.close()
        raise


def _source(camera: Camera, limits: Limits, interval: float) -> Source:
    begun = time.monotonic()
    answer = camera.get()

    def waited() -> float:
        """Return how long the camera needed, of which it gets a multiple from now on."""
        took = time.monotonic() - begun
        camera.timeout = max(limits.read, _TIMES * took)
        return took

    def snapshots(first: bytes) -> Source:
        took = waited()
        return SnapshotSource(camera, answer, first, interval, took, most=limits.pixels)

    kind = kinds.kind_of(answer)
    is_document = kinds.is_document(kind)
    first = read(answer, limits.open) if kind in kinds.UNKNOWN or is_document else b""
    is_whole = 0 < (length_of(answer) or 0) <= LARGEST_PART
    if first.startswith(jpeg.START) and is_whole:
        first = body(answer, limits.open, first)
        if len(pictures_in(first)) == 1:
            return snapshots(first)
    if first.startswith(jpeg.START) or (not is_document and kinds.is_mjpeg(kind, first)):
        return MjpegSource(camera, answer, first, limits, interval)
    if kind.startswith("image/") or (kinds.is_picture(first) and is_whole):
        whole = body(answer, limits.open, first)
        waited()
        with _naming(kind):
            return Animation(camera, whole, limits, interval).film() or snapshots(whole)
    answer.close()
    waited()
    if kinds.is_page(kind, first):
        raise CaptureError(f"the camera answers with a web page: {_URL}")
    if is_document:
        raise CaptureError(f"the camera answers with {kind}: {_URL}")
    if first.startswith(GZIP):
        raise CaptureError(f"the camera answers with data compressed by gzip: {_URL}")
    with _naming(kind):
        return _video(camera, answer, limits, interval)


@contextmanager
def _naming(kind: str) -> Iterator[None]:
    """Name the type of an answer if FFmpeg finds no video in it."""
    try:
        yield
    except CaptureError as error:
        if kind and not kind.startswith("video/") and str(error) == NOT_A_VIDEO:
            raise CaptureError(
                f"the camera answers with {kind}, and FFmpeg finds no video in it: {_URL}"
            ) from None
        raise


def _video(camera: Camera, answer: requests.Response, limits: Limits, interval: float) -> Source:
    bodies = Bodies(camera, limits)
    is_hls = "mpegurl" in answer.headers.get("Content-Type", "").lower()
    timeout = camera.timeout

    def open_film() -> Video:
        bodies.trouble = None
        camera.timeout = limits.open
        try:
            return open_video(
                str(answer.url),
                limits,
                interval,
                _OPTIONS,
                form="hls" if is_hls else None,
                io_open=bodies.open,
                on_close=camera.close,
            )
        except CaptureError as error:
            is_garbled = bodies.is_encrypted and str(error) == NOT_A_VIDEO
            raise bodies.trouble or (CaptureError(_NO_KEY) if is_garbled else error) from None
        finally:
            camera.timeout = timeout

    video = open_film()
    return FilmSource(video, open_film, interval) if video.is_film else StreamSource(video)
