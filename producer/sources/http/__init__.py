"""Cameras over HTTP: Motion JPEG, a picture per request, or a video that FFmpeg reads."""

import time
from typing import Final

import requests

from pipeline.wire import jpeg
from producer.sources.ffmpeg import CONTAINERS, open_video
from producer.sources.film import FilmSource
from producer.sources.http.body import Bodies
from producer.sources.http.mjpeg import MjpegSource
from producer.sources.http.pictures import LARGEST_PART
from producer.sources.http.request import Camera, length_of, read
from producer.sources.http.snapshot import SnapshotSource, body, pictures_in
from producer.sources.source import CaptureError, Limits, Source
from producer.sources.stream import StreamSource
from producer.sources.video import Video

_MJPEG: Final = ("multipart/", "video/x-motion-jpeg", "video/x-mjpeg", "video/mjpeg")
_UNKNOWN: Final = ("", "application/octet-stream", "binary/octet-stream", "text/plain")
_NO_VIDEO: Final = (
    "application/json",
    "application/xml",
    "text/xml",
    "application/javascript",
    "text/javascript",
)
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

    def snapshots(first: bytes) -> Source:
        took = time.monotonic() - begun
        camera.timeout = max(limits.read, _TIMES * took)
        return SnapshotSource(camera, answer, first, interval, took)

    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    first = read(answer, limits.open) if kind in _UNKNOWN else b""
    if first.startswith(jpeg.START) and 0 < (length_of(answer) or 0) <= LARGEST_PART:
        first = body(answer, limits.open, first)
        if len(pictures_in(first)) == 1:
            return snapshots(first)
    if kind.startswith(_MJPEG) or first.lstrip().startswith((b"\xff\xd8", b"--")):
        return MjpegSource(camera, answer, first, limits)
    if kind.startswith("image/"):
        return snapshots(body(answer, limits.open, first))
    answer.close()
    camera.timeout = limits.read
    if kind in ("text/html", "application/xhtml+xml") or first.lstrip().startswith(b"<"):
        raise CaptureError("the camera answers with a web page: expected the URL of its video")
    if kind in _NO_VIDEO:
        raise CaptureError(f"the camera answers with {kind}: expected the URL of its video")
    return _video(camera, answer, limits, interval)


def _video(camera: Camera, answer: requests.Response, limits: Limits, interval: float) -> Source:
    bodies = Bodies(camera, limits.read)
    is_hls = "mpegurl" in answer.headers.get("Content-Type", "").lower()

    def open_film() -> Video:
        bodies.trouble = None
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
            raise bodies.trouble or error from None

    video = open_film()
    return FilmSource(video, open_film, interval) if video.is_film else StreamSource(video)
