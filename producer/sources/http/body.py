"""What a camera's web server offers, as a file that FFmpeg reads."""

import os
from typing import Final

from producer.sources.http.request import Camera, read

_BEHIND: Final = 256 * 1024  # bytes to skip by reading them


class Body:
    """The body at a URL on the camera's host; every method raises `CaptureError` if it cannot be read."""

    def __init__(self, camera: Camera, url: str, read_timeout: float) -> None:
        self._camera = camera
        self._url = url
        self._read_timeout = read_timeout
        self._answer = camera.get(url)
        self._length = int(self._answer.headers.get("Content-Length", -1))
        self._at = 0
        self._waiting = b""

    def seekable(self) -> bool:
        """Return whether the server lets a reader begin anywhere."""
        return self._length > 0 and self._answer.headers.get("Accept-Ranges", "").lower() == "bytes"

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; none at the end."""
        data = self._waiting or read(self._answer, self._read_timeout)
        self._waiting = data[size:]
        self._at += len(data[:size])
        return data[:size]

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place counted from the start, from here, or from the end; return it."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        target = min(max(0, base + offset), self._length)
        while 0 < target - self._at <= _BEHIND and self.read(target - self._at):
            pass
        if target != self._at:
            self._answer.close()
            self._waiting = b""
            # A server does not answer requests for what follows the last byte.
            if target < self._length:
                self._answer = self._camera.get(self._url, start=target)
            self._at = target
        return target

    def close(self) -> None:
        """End the request."""
        self._answer.close()
