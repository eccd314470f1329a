"""Stand-ins for what surrounds the video server: frames, the clock, ASGI clients, readers of MJPEG."""

import asyncio
import http.client
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import IO, Final, NamedTuple
from urllib.parse import quote

import numpy as np
from hypothesis import settings

import video.http.app
from pipeline.flow.ledger import Ledger
from pipeline.http.connection import Connection
from pipeline.wire import picture
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Prediction
from tests.clock import SECOND
from video.cameras.camera import Camera, Listed

PROPERTY: Final = settings(deadline=None)
"""How the properties run: without a limit of time, with the examples of the profile."""

INTERVAL: Final = 0.001
"""The least time between two frames of a stream of `Site`, in s."""


def grey(width: int = 64, height: int = 48) -> bytes:
    """Return a JPEG of one colour."""
    return picture.encode(np.full((height, width, 3), 90, np.uint8), 90)


GREY: Final = grey()


def a_frame(
    seq: int = 1,
    *,
    camera: str = "door",
    captured: int = 5 * SECOND,
    jpeg: bytes = GREY,
    predictions: tuple[Prediction, ...] = (),
) -> Frame:
    """Return a frame of 64 x 48 pixels."""
    return Frame(camera, seq, captured, jpeg, 64, 48, predictions)


async def settle() -> None:
    """Let everything run on the loop that can."""
    for _ in range(20):
        await asyncio.sleep(0)


class Audience:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.changes: list[tuple[str, str]] = []
        self.lost: list[str] = []

    def frame(self, camera: Camera) -> None:
        """Keep the frame's number."""
        self.seqs.append(camera.frame.seq)

    def changed(self, camera: Listed) -> None:
        """Keep the camera's name and state."""
        self.changes.append((camera.name, camera.state))

    def gone(self, name: str) -> None:
        """Keep the name."""
        self.lost.append(name)


class FakeConnection(Connection):
    """A connection whose kernel accepts as much as a test says; it keeps what was written."""

    def __init__(self) -> None:
        self.full = self.streaming = False
        self.backlog = self.asked = self.flying = 0
        self.written: list[bytes] = []
        self.gone = asyncio.Event()
        self.aborted = self._stalled = False
        self.since = 0.0
        self.on_room: Callable[[], None] = lambda: None

    def unread(self) -> int:
        """Return the backlog that the test has set."""
        self.asked += 1
        return self.backlog

    def under_way(self) -> int:
        """Return what the test has set."""
        return self.flying

    def write(self, chunk: bytes) -> None:
        """Take a chunk; where the client has stalled, it fills the kernel."""
        self.written.append(chunk)
        self.full = self._stalled

    def stuck(self, now: float) -> float:
        """Return for how long it has been full."""
        return now - self.since if self.full else 0.0

    def stall(self) -> None:
        """Stop reading: what is sent next fills the kernel."""
        self._stalled = True

    def read(self) -> None:
        """Read on."""
        self._stalled = self.full = False
        self.on_room()

    def close(self) -> None:
        """Close the connection, from either side."""
        self.gone.set()

    def abort(self) -> None:
        """Close the connection at once."""
        self.aborted = True
        self.gone.set()

    @property
    def seqs(self) -> list[int]:
        """The numbers of the frames that were written."""
        return [int(seq) for seq in re.findall(rb"X-Seq: (\d+)\r\n", b"".join(self.written))]


class Part(NamedTuple):
    """A part of a multipart body."""

    headers: dict[str, str]
    body: bytes


def by_length(stream: IO[bytes], boundary: bytes) -> Iterator[Part]:
    """Yield the parts of a multipart stream up to its end, each as long as its Content-Length says."""
    while line := stream.readline():
        assert line == b"--" + boundary + b"\r\n"
        headers = {}
        while (line := stream.readline()) not in {b"\r\n", b""}:
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        if not line:
            return
        body = stream.read(int(headers["content-length"]))
        assert stream.read(2) == b"\r\n"
        yield Part(headers, body)


def by_boundary(text: bytes, boundary: bytes) -> list[bytes]:
    """Return the complete parts' bodies of a multipart text, separated only by the boundary."""
    *parts, _ = (b"\r\n" + text).split(b"\r\n--" + boundary + b"\r\n")
    return [part.partition(b"\r\n\r\n")[2] for part in parts[1:]]


class Browser:
    """Asks a video server that answers on this port."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
        """Return the answer's head; the path goes out as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, headers={"Connection": "close", **headers})
        answer = connection.getresponse()
        connection.close()  # the answer keeps the socket until it is closed itself
        return answer

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """Return an answer's status and body."""
        with self.ask(path, **headers) as answer:
            return answer.status, answer.read()

    def of(self, prefix: str, camera: str, suffix: str = "") -> str:
        """Return a camera's path."""
        return f"{prefix}/{quote(camera, safe='')}{suffix}"

    def connect(self, path: str, receive_buffer: int, **headers: str) -> socket.socket:
        """Ask over a socket with little room for what is not read yet."""
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.settimeout(20)
        client.connect(("127.0.0.1", self.port))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode())
        return client


class Site(Browser):
    """A video server in this process, to be shown frames and asked for them."""

    def __init__(self, web: video.http.app.Site, ledger: Ledger, port: int) -> None:
        super().__init__(port)
        self.web = web
        self.cameras = web.cameras
        self.ledger = ledger

    def show(self, *frames: Frame) -> None:
        """Let frames come in, as the reader does, and wait until each is put up."""
        for frame in frames:
            self.ledger.came(frame.camera)
            self.cameras.offer(frame.camera, frame)
            self.sync()

    def pause(self) -> None:
        """Wait for an interval, so that the next frame is due."""
        due = time.monotonic() + 2 * INTERVAL
        while time.monotonic() < due:
            self.sync()

    def sync(self) -> None:
        """Wait until the event loop has done what it was given so far."""
        assert self.cameras._loop is not None
        done = threading.Event()
        self.cameras._loop.call_soon_threadsafe(done.set)
        assert done.wait(20)
