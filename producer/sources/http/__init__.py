"""Cameras over HTTP: Motion JPEG, a picture per request, or a video that FFmpeg reads."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from producer.sources.ffmpeg import CONTAINERS, open_video
from producer.sources.film import FilmSource
from producer.sources.http.body import Body
from producer.sources.http.mjpeg import MjpegSource
from producer.sources.http.request import Camera, read
from producer.sources.http.snapshot import SnapshotSource
from producer.sources.source import CaptureError, Source, Timeouts
from producer.sources.stream import StreamSource

_MJPEG: Final = ("multipart/", "video/x-motion-jpeg", "video/x-mjpeg", "video/mjpeg")
_UNKNOWN: Final = ("", "application/octet-stream", "binary/octet-stream", "text/plain")
# Every URL is opened by us, so FFmpeg needs no protocol but the one in which HLS encrypts.
_OPTIONS: Final = {"format_whitelist": f"hls,{CONTAINERS}", "protocol_whitelist": "http,https,crypto"}


def open_source(link: str, timeouts: Timeouts, interval: float = 0) -> Source:
    """Open the camera at a URL, whatever it sends; raise `CaptureError` if that fails."""
    camera = Camera(link, timeouts)
    try:
        return _source(camera, timeouts, interval)
    except BaseException:
        camera.close()
        raise


def _source(camera: Camera, timeouts: Timeouts, interval: float) -> Source:
    answer = camera.get()
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    first = read(answer, timeouts.read) if kind in _UNKNOWN else b""
    if kind.startswith(_MJPEG) or first.lstrip().startswith((b"\xff\xd8", b"--")):
        return MjpegSource(camera, answer, first, timeouts.read)
    if kind.startswith("image/"):
        return SnapshotSource(camera, answer, timeouts.read, interval)
    answer.close()
    if kind == "text/html" or first.lstrip().startswith(b"<"):
        raise CaptureError("the camera answers with a web page: expected the URL of its video")
    return _video(camera, str(answer.url), timeouts, interval)


def _video(camera: Camera, url: str, timeouts: Timeouts, interval: float) -> Source:
    def body(address: str, _flags: int, _options: Mapping[str, str]) -> Body:
        return Body(camera, address, timeouts.read)

    open_film = partial(open_video, url, timeouts, interval, _OPTIONS, io_open=body, on_close=camera.close)
    video = open_film()
    return FilmSource(video, open_film, interval) if video.is_film else StreamSource(video)
