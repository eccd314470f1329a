"""Stand-ins for what surrounds a socket: connections, cameras, visitors; and a reader of what it sends."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from websockets.frames import Frame as WebSocketFrame
from websockets.frames import Opcode
from websockets.streams import StreamReader

from pipeline.access.roles import Role
from pipeline.flow.ledger import Ledger
from pipeline.http.connection import Connection
from pipeline.wire.frame import Frame
from tests.video.conftest import LIMITS
from video.cameras.camera import Camera
from video.cameras.cameras import Cameras
from video.streams.socket import wire


class Picture(NamedTuple):
    """A picture as the browser gets it."""

    kind: int
    scale: int
    camera: int
    number: int
    seq: int
    captured: int
    width: int
    height: int
    jpeg: bytes


def read(sent: bytes) -> list[Any]:
    """Return the texts (parsed) and pictures of complete WebSocket frames, one after the other."""
    reader = StreamReader()
    reader.feed_data(sent)
    reader.feed_eof()
    messages = []
    while reader.buffer:
        frame = _parse(reader)
        assert frame.fin
        if frame.opcode is Opcode.TEXT:
            messages.append(json.loads(bytes(frame.data)))
        else:
            messages.append(picture_of(bytes(frame.data)))
    return messages


def picture_of(message: bytes) -> Picture:
    """Return the picture that a binary message holds."""
    size = wire.PICTURE.size
    return Picture._make((*wire.PICTURE.unpack(message[:size]), message[size:]))


def _parse(reader: StreamReader) -> WebSocketFrame:
    parsing = WebSocketFrame.parse(reader.read_exact, mask=False)
    try:
        next(parsing)
    except StopIteration as end:
        frame: WebSocketFrame = end.value
        return frame
    raise AssertionError("an incomplete frame")


class Wire(Connection):
    """A connection that keeps what is written; it takes `room` chunks more until it is full."""

    def __init__(self, room: float = float("inf")) -> None:
        self.full = False
        self.aborted = False
        self.on_room = lambda: None
        self.room = room
        self.chunks: list[bytes] = []

    def write(self, chunk: bytes) -> None:
        """Take a chunk."""
        assert not self.full
        self.chunks.append(chunk)
        self.room -= 1
        self.full = self.room <= 0

    def drain(self, room: float) -> None:
        """Make room for so many chunks."""
        self.room, self.full = room, False
        self.on_room()

    def abort(self) -> None:
        """Note it."""
        self.aborted = True

    @property
    def messages(self) -> list[Any]:
        """What was written, texts parsed."""
        return read(b"".join(self.chunks))

    @property
    def pictures(self) -> list[Picture]:
        """The pictures that were written."""
        return [message for message in self.messages if isinstance(message, Picture)]

    @property
    def texts(self) -> list[Any]:
        """The texts that were written."""
        return [message for message in self.messages if not isinstance(message, Picture)]


class Wall(Cameras):
    """Cameras that the test itself shows frames to, and forgets."""

    def __init__(self) -> None:
        super().__init__(LIMITS, Ledger())

    @property
    def cameras(self) -> dict[str, Camera]:
        """The cameras by name."""
        return self._cameras

    def put(self, *frames: Frame) -> None:
        """Show frames."""
        for frame in frames:
            self._show(frame)

    def drop(self, name: str) -> None:
        """Forget a camera."""
        self._forget(name)


class Guest:
    """A visitor who may see the cameras of a set."""

    name = "guest"

    def __init__(self, cameras: Iterable[str]) -> None:
        self.cameras = set(cameras)
        self.expected = True

    @property
    def roles(self) -> tuple[Role, ...]:
        """What the guest may do."""
        return ("viewer",)

    def lacks(self, role: Role) -> str | None:
        """Tell what helps a guest without a role."""
        return None if role == "viewer" else f"ask for the role {role}"

    def may_see(self, camera: str) -> bool:
        """Tell whether it is of the set."""
        return camera in self.cameras

    def welcome(self) -> bool:
        """Tell what the test has set."""
        return self.expected


async def until(condition: Callable[[], Any], what: str, timeout: float = 20) -> Any:
    """Return the condition's first true value; fail after `timeout` s, naming what did not come."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {timeout:g} s in vain for {what}"
        await asyncio.sleep(0.002)
    return value
