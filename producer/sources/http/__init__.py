"""Cameras that send pictures over HTTP: Motion JPEG, or one picture per request.

Anything else that HTTP can carry, such as a film or a playlist, is left to FFmpeg.
"""

from typing import Final

from producer.sources import network
from producer.sources.http.mjpeg import MjpegSource
from producer.sources.http.request import Camera, read
from producer.sources.http.snapshot import SnapshotSource
from producer.sources.source import CaptureError, Source, Timeouts

_MJPEG: Final = ("multipart/", "video/x-motion-jpeg", "video/x-mjpeg", "video/mjpeg")
_UNKNOWN: Final = ("", "application/octet-stream", "binary/octet-stream", "text/plain")


def open_source(link: str, timeouts: Timeouts) -> Source:
    """Open the camera at a URL, whatever it sends; raise `CaptureError` if that fails."""
    camera = Camera(link, timeouts)
    try:
        return _source(camera, timeouts.read) or network.open_source(link, timeouts)
    except CaptureError:
        camera.close()
        raise


def _source(camera: Camera, read_timeout: float) -> Source | None:
    """Return the source for what the camera sends; None if FFmpeg has to read it."""
    answer = camera.get()
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    first = read(answer, read_timeout) if kind in _UNKNOWN else b""
    if kind.startswith(_MJPEG) or first.lstrip().startswith((b"\xff\xd8", b"--")):
        return MjpegSource(camera, answer, first, read_timeout)
    if kind.startswith("image/"):
        return SnapshotSource(camera, answer, read_timeout)
    answer.close()
    if kind == "text/html" or first.lstrip().startswith(b"<"):
        raise CaptureError("the camera answers with a web page: expected the URL of its video")
    camera.close()
    return None
