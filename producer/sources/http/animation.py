"""Pictures over HTTP that move, and those that only FFmpeg reads: played as films, from memory."""

import time
from io import BytesIO
from typing import Final

from pipeline.wire import jpeg
from pipeline.wire.picture import PictureError
from producer.sources import png
from producer.sources.ffmpeg import CONTAINERS, open_video
from producer.sources.film import FilmSource
from producer.sources.http.request import Camera
from producer.sources.http.snapshot import body
from producer.sources.pictures import form_of
from producer.sources.source import CaptureError, Limits, interval_of_pictures
from producer.sources.video import Video

_GIF: Final = b"GIF8"
_STILL: Final = (jpeg.START, b"\x89PNG", b"RIFF", b"BM")  # formats that are read without FFmpeg
# What a picture refers to is not read.
_OPTIONS: Final = {"format_whitelist": CONTAINERS, "protocol_whitelist": "none"}


class Animation:
    """A picture at a camera's URL; `whole` is what the camera has sent. It may change meanwhile."""

    def __init__(self, camera: Camera, whole: bytes, limits: Limits, interval: float) -> None:
        self._camera = camera
        self._whole = whole
        self._limits = limits
        self._interval = interval
        self._asked = time.monotonic()

    def film(self) -> FilmSource | None:
        """Return a film, or None for a picture that can be read without FFmpeg.

        Raises `CaptureError` for a picture that FFmpeg cannot read either.
        """
        if self._whole.startswith(_GIF) and not self._moves():
            return None
        if self._whole.startswith(_STILL) and form_of(self._whole) != "apng":
            return None
        self._whole = _checked(self._whole, self._limits.pixels)
        return FilmSource(self._open(), self._open, self._interval)

    def _open(self) -> Video:
        # It may be short: the camera is not asked more often than for single pictures.
        if time.monotonic() - self._asked >= interval_of_pictures(self._interval):
            self._asked = time.monotonic()
            with self._camera.get() as answer:
                self._whole = _checked(body(answer, self._camera.timeout), self._limits.pixels)
        return open_video(
            BytesIO(self._whole),
            self._limits,
            self._interval,
            _OPTIONS,
            form=form_of(self._whole),
            on_close=self._camera.close,
        )

    def _moves(self) -> bool:
        try:
            video = self._open()
        except CaptureError:  # a damaged picture
            return False
        try:
            video.read()
            video.read()
        except CaptureError:
            return False
        finally:
            video.close()
        return True


def _checked(whole: bytes, most: int) -> bytes:
    """Return a picture that FFmpeg may read; raise `CaptureError` for a PNG that unpacks to too much."""
    if not whole.startswith(png.START):
        return whole
    try:
        return png.plain(whole, most, animated=True)
    except PictureError as error:
        raise CaptureError(f"the camera sends {error}") from None
