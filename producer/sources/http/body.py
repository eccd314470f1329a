"""What a camera's web server offers, as a file that FFmpeg reads."""

import os
from typing import Final

import requests

from producer.sources.http.request import Camera, length_of, read
from producer.sources.source import CaptureError

_BEHIND: Final = 256 * 1024  # bytes to skip by reading them


class Bodies:
    """Opens what FFmpeg asks for, as long as it is on the camera's host."""

    def __init__(self, camera: Camera, read_timeout: float) -> None:
        self._camera = camera
        self._read_timeout = read_timeout
        self.trouble: CaptureError | None = None
        """Why the last one could not be opened or read. FFmpeg finds it empty instead."""

    def open(self, url: str, _flags: int, _options: object) -> "Body":
        """Return the body at a URL, as a file."""
        return Body(self, url)

    def get(self, url: str, start: int = 0) -> requests.Response | None:
        """Return the answer from the byte `start` on, or None if there is none."""
        try:
            return self._camera.get(url, start=start)
        except CaptureError as error:
            self.trouble = error
            return None

    def read(self, answer: requests.Response | None) -> bytes:
        """Return what has arrived of an answer's body; nothing at the end."""
        try:
            return read(answer, self._read_timeout) if answer is not None else b""
        except CaptureError as error:
            self.trouble = error
            return b""


class Body:
    """The body at a URL. Its methods never raise, because FFmpeg calls them."""

    def __init__(self, bodies: Bodies, url: str) -> None:
        self._bodies = bodies
        self._url = url
        self._answer = bodies.get(url)
        self._length, self._is_seekable = 0, False
        if self._answer is not None:
            self._length = length_of(self._answer) or 0
            self._is_seekable = self._answer.headers.get("Accept-Ranges", "").lower() == "bytes"
        self._at = 0
        self._waiting = b""

    def seekable(self) -> bool:
        """Return whether the server lets a reader begin anywhere."""
        return self._is_seekable and self._length > 0

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; none at the end."""
        data = self._waiting or self._bodies.read(self._answer)
        self._waiting = data[size:]
        self._at += len(data[:size])
        return data[:size]

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place counted from the start, from here, or from the end; return it."""
        base = {os.SEEK_CUR: self._at, os.SEEK_END: self._length}.get(whence, 0)
        target = min(max(0, base + offset), self._length)
        while 0 < target - self._at <= _BEHIND and self.read(target - self._at):
            pass
        if target != self._at:
            self.close()
            self._waiting = b""
            # A server does not answer requests for what follows the last byte.
            self._answer = self._bodies.get(self._url, target) if target < self._length else None
            self._at = target
        return target

    def close(self) -> None:
        """End the request."""
        if self._answer is not None:
            self._answer.close()
