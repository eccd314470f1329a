"""Motion JPEG over HTTP."""

import time
from collections import deque

import requests

from pipeline.wire.picture import PictureError
from producer.sources.http.pictures import NoPicturesError, Pictures
from producer.sources.http.request import BusyError, Camera, read
from producer.sources.pictures import captured
from producer.sources.source import Captured, CaptureError, EndedError, Limits, interval_of_pictures


class MjpegSource:
    """A camera that sends one picture after the other in a body without an end.

    `first` is the part of the body that has been read already.
    """

    interval = 0.0
    codec = "mjpeg"

    def __init__(
        self, camera: Camera, answer: requests.Response, first: bytes, limits: Limits, interval: float
    ) -> None:
        self._camera = camera
        self._answer = answer
        self._limits = limits
        self._timeout = limits.open  # for the first picture
        self._pictures = Pictures()
        self._waiting = deque[bytes | None](self._pictures.feed(first))  # None: an incomplete picture
        self._ended = False
        self._picture: bytes | None = None
        self._at = 0
        self._may_be_asked = time.monotonic() + interval_of_pictures(interval)
        self._incomplete = 0  # pictures so far

    def due_in(self) -> float:
        """Return 0: the camera sets the pace."""
        return 0.0

    def grab(self) -> None:
        """Wait for the next picture; raise `CaptureError` if none comes within the timeout.

        For the first one, that is the timeout for opening, and for others the one for reads.
        """
        until = time.monotonic() + self._timeout
        while not self._waiting:
            if self._ended:
                raise self._end("the camera has ended the video")
            if time.monotonic() > until:
                raise CaptureError(f"no complete picture within {self._timeout:g} s")
            self._read()
        self._picture, self._at = self._waiting.popleft(), time.time_ns()
        self._timeout = self._limits.read

    def retrieve(self) -> Captured:
        """Return the grabbed picture; raise `PictureError` if it is not one."""
        if self._picture is None:
            raise PictureError("it is incomplete")
        return captured(self._picture, self._at, self._limits.pixels)

    def close(self) -> None:
        """End the connection."""
        self._answer.close()
        self._camera.close()

    def _read(self) -> None:
        try:
            data = read(self._answer, self._timeout)
        except BusyError as error:
            raise self._end(str(error)) from None
        try:
            self._waiting += self._pictures.feed(data) if data else self._pictures.end()
        except NoPicturesError as error:
            raise CaptureError(f"the camera sends {error}") from None
        self._ended = not data
        self._waiting += [None] * (self._pictures.incomplete - self._incomplete)
        self._incomplete = self._pictures.incomplete

    def _end(self, text: str) -> CaptureError:
        if not self._at:
            return CaptureError(text)
        # One that ends after each picture is asked at the pace of pictures.
        return EndedError(text, max(0.0, self._may_be_asked - time.monotonic()))
