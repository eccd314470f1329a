"""A camera that answers each request with one picture."""

import time

import requests

from pipeline.wire import jpeg
from pipeline.wire.picture import PictureError
from producer.sources.http.pictures import LARGEST_PART, Pictures
from producer.sources.http.request import BusyError, Camera, read
from producer.sources.pictures import captured
from producer.sources.source import Captured, CaptureError, interval_of_pictures


class SnapshotSource:
    """Requests a picture every `interval` s. A camera with ETags sends it only if it has changed."""

    codec = "picture"

    def __init__(
        self,
        camera: Camera,
        answer: requests.Response,
        first: bytes,
        interval: float,
        took: float,
        *,
        most: int,
    ) -> None:
        """Begin with the `first` picture, which is the body of this answer, and which `took` so many s.

        Pictures have at most `most` pixels.
        """
        self._camera = camera
        self._most = most
        self._first: tuple[requests.Response, bytes] | None = (answer, first)
        self._picture, self._tag, self._at = b"", "", 0
        self._trouble: str | None = None
        self._pace = interval_of_pictures(interval)
        self.interval = max(self._pace, took)
        self._due = time.monotonic()

    def due_in(self) -> float:
        """Return the seconds until the next request; missed ones are skipped, not caught up on."""
        now = time.monotonic()
        self._due = max(self._due, now)
        return self._due - now

    def grab(self) -> None:
        """Request the next picture; raise `CaptureError` if there is none."""
        begun, is_here = time.monotonic(), self._first is not None
        self._due += self._pace
        self._trouble = None
        try:
            self._take()
        except BusyError as error:
            if error.retry_after > self._camera.timeout:
                raise
            self._trouble = str(error)
            self._due = max(self._due, begun + error.retry_after)
        if not is_here:  # otherwise it took no time now
            self.interval = max(self._pace, time.monotonic() - begun)

    def _take(self) -> None:
        (answer, whole), self._first = self._first or (self._camera.get(tag=self._tag), None), None
        self._at = time.time_ns()
        with answer:
            if answer.status_code == 304:
                return
            whole = body(answer, self._camera.timeout) if whole is None else whole
            self._tag = answer.headers.get("ETag", "")
            self._picture = next(iter(pictures_in(whole)), whole) if whole.startswith(jpeg.START) else whole

    def retrieve(self) -> Captured:
        """Return the newest picture; raise `PictureError` if it is not one, or the camera was busy."""
        if self._trouble:
            raise PictureError(self._trouble)
        return captured(self._picture, self._at, self._most)

    def close(self) -> None:
        """End the connection."""
        self._camera.close()


def body(answer: requests.Response, read_timeout: float, begun: bytes = b"") -> bytes:
    """Return an answer's whole body, of which the beginning may have been read; raise `CaptureError`."""
    until, whole = time.monotonic() + read_timeout, bytearray(begun)
    while data := read(answer, read_timeout):
        whole += data
        if len(whole) > LARGEST_PART:
            raise CaptureError(f"the camera sends a picture of more than {LARGEST_PART >> 20} MiB")
        if time.monotonic() > until:
            raise CaptureError(f"no complete picture within {read_timeout:g} s")
    return bytes(whole)


def pictures_in(whole: bytes) -> list[bytes]:
    """Return the pictures in a body, completed, and without what stands between them."""
    found = Pictures()
    return [*found.feed(whole), *found.end()]
