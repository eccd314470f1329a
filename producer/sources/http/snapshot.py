"""A camera that answers each request with one picture."""

import time

import requests

from pipeline.wire import jpeg
from producer.sources.http.pictures import LARGEST_PART, Pictures
from producer.sources.http.request import Camera, read
from producer.sources.pictures import captured
from producer.sources.source import Captured, CaptureError, interval_of_pictures


class SnapshotSource:
    """Requests a picture every `interval` s. A camera with ETags sends it only if it has changed."""

    def __init__(
        self,
        camera: Camera,
        answer: requests.Response,
        read_timeout: float,
        interval: float,
        begun: bytes = b"",
    ) -> None:
        self._camera = camera
        self._read_timeout = read_timeout
        self._answer: requests.Response | None = answer
        self._begun = begun  # of the first answer
        self._picture, self._tag, self._at = b"", "", 0
        self.interval = interval_of_pictures(interval)
        self._due = time.monotonic()

    def due_in(self) -> float:
        """Return the seconds until the next request; missed ones are skipped, not caught up on."""
        now = time.monotonic()
        self._due = max(self._due, now)
        return self._due - now

    def grab(self) -> None:
        """Request the next picture; raise `CaptureError` if there is none."""
        answer = self._answer or self._camera.get(tag=self._tag)
        self._answer = None
        self._due += self.interval
        self._at = time.time_ns()
        with answer:
            if answer.status_code == 304:
                return
            whole = body(answer, self._read_timeout, self._begun)
            self._begun, self._tag = b"", answer.headers.get("ETag", "")
            self._picture = next(iter(pictures_in(whole)), b"") if whole.startswith(jpeg.START) else whole

    def retrieve(self) -> Captured:
        """Return the newest picture; raise `PictureError` if it is not one."""
        return captured(self._picture, self._at)

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
