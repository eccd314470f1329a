"""The minimum of a browser that watches one camera's MJPEG: it measures the age of each frame."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


def captures(connection: socket.socket) -> Iterator[int]:
    """Yield the capture time of each frame, in ns since the epoch, once all of its bytes have arrived.

    Stand-in pictures have no capture time, and are left out.
    """
    with connection.makefile("rb", buffering=16_384) as stream:
        length = captured = 0
        for line in stream:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            elif name.lower() == b"x-captured":
                captured = int(value)
            elif line == b"\r\n" and length:
                stream.read(length)
                if captured:
                    yield captured
                length = captured = 0


class Viewer:
    """Watches a camera, and keeps the ages in s of its frames until `take` returns them.

    With a `pause` in s after each frame, it reads slowly.
    """

    def __init__(self, address: tuple[str, int], camera: str, pause: float = 0.0) -> None:
        self._pause = pause
        self._ages: list[float] = []
        self._connection = socket.create_connection(address)
        self._connection.sendall(b"GET /stream/%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % camera.encode())
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def take(self) -> list[float]:
        """Return the ages since the last call, sorted."""
        ages, self._ages = self._ages, []
        return sorted(ages)

    def close(self) -> None:
        """Stop watching."""
        self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._connection.close()

    def _run(self) -> None:
        for captured in captures(self._connection):
            self._ages.append((time.time_ns() - captured) / 1e9)
            time.sleep(self._pause)


@contextmanager
def watching(address: tuple[str, int], camera: str, pause: float = 0.0) -> Iterator[Viewer]:
    """Watch a camera until the block ends."""
    viewer = Viewer(address, camera, pause)
    try:
        yield viewer
    finally:
        viewer.close()
