"""A camera that sends JPEGs over HTTP (multipart/x-mixed-replace), as many IP cameras do."""

import socket
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self


class HttpCamera:
    """Sends the parts in a loop to one client at a time, until the block ends."""

    def __init__(
        self, parts: Sequence[bytes], *, rate: float = 25, tells_length: bool = True, port: int = 0
    ) -> None:
        self._parts = parts
        self._interval = 1 / rate
        self._tells_length = tells_length
        self.silent = threading.Event()
        """While it is set, nothing is sent."""
        self._listener = socket.create_server(("127.0.0.1", port))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def link(self) -> str:
        """The camera's URL."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/video.mjpg"

    def __enter__(self) -> Self:
        self._listener.settimeout(0.1)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, trace: TracebackType | None) -> None:
        self._stopping.set()
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            with client:
                client.settimeout(1)
                self._send(client)

    def _send(self, client: socket.socket) -> None:
        head = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=B\r\n\r\n--B\r\n"
        due, sent = time.monotonic(), 0
        try:
            client.recv(4096)
            client.sendall(head)
            while not self._stopping.wait(max(0.0, due - time.monotonic())):
                if self.silent.is_set():
                    due = time.monotonic() + self._interval
                    continue
                part = self._parts[sent % len(self._parts)]
                length = b"Content-Length: %d\r\n" % len(part) if self._tells_length else b""
                client.sendall(b"Content-Type: image/jpeg\r\n" + length + b"\r\n" + part + b"\r\n--B\r\n")
                due, sent = due + self._interval, sent + 1
        except OSError:  # the client has gone
            return
