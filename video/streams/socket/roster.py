"""All browsers of this server: what each of them is told of the cameras, and when."""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from typing import Final

from prometheus_client import Counter

from video.cameras.camera import Camera
from video.cameras.cameras import Cameras
from video.streams.socket import wire
from video.streams.socket.viewer import Viewer

_EVERY: Final = 1.0  # s
_AT_MOST_EVERY: Final = 0.1  # s, after changes

_EXPIRED = Counter("streamlens_sockets_expired", "Sockets dropped because pictures were not acknowledged")


class CamerasMessage:
    """The `cameras` message: made once for all who may see the same cameras. `names` are those it knows."""

    def __init__(self, cameras: Cameras) -> None:
        self._cameras = cameras
        self._texts: dict[str, str] = {}
        self._messages: dict[tuple[str, ...], bytes] = {}
        self._head = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The cameras, in the order of their names."""
        return tuple(self._texts)

    def renew(self) -> None:
        """Take the cameras as they are now."""
        now = round(1000 * time.time(), 1)
        self._head = f'{{"type": "cameras", "now": {now}, "cameras": ['
        self._texts = {
            camera.name: json.dumps({**camera.status(), "id": camera.id}) for camera in self._cameras
        }
        self._messages.clear()

    def message(self, cameras: tuple[str, ...]) -> bytes:
        """Return the message about these cameras, as a WebSocket frame."""
        message = self._messages.get(cameras)
        if message is None:
            text = ", ".join(self._texts[camera] for camera in cameras)
            message = self._messages[cameras] = wire.text(f"{self._head}{text}]}}")
        return message


class Roster:
    """Lives on the event loop. It ticks as long as anybody is in."""

    def __init__(self, cameras: Cameras) -> None:
        self._message = CamerasMessage(cameras)
        self._viewers: set[Viewer] = set()
        self._names: tuple[str, ...] = ()  # that all who are in know of
        self._renewed = 0.0
        self._stale = True
        self._tick: asyncio.TimerHandle | None = None
        self._news: asyncio.TimerHandle | None = None
        cameras.on_change.append(self._change)

    @contextlib.contextmanager
    def visit(self, viewer: Viewer) -> Iterator[None]:
        """Tell a browser of the cameras: now, each second, and soon after a change."""
        if not self._viewers:
            self._tick = asyncio.get_running_loop().call_later(_EVERY, self._each_second)
        self._viewers.add(viewer)
        if self._stale or time.monotonic() - self._renewed > _AT_MOST_EVERY:
            self._renew()
        self._admit(viewer)
        viewer.tell(self._message.message(viewer.visible))
        try:
            yield
        finally:
            viewer.close()
            self._viewers.discard(viewer)
            if not self._viewers:
                self._rest()

    def _rest(self) -> None:
        for due in (self._tick, self._news):
            if due is not None:
                due.cancel()
        self._tick = self._news = None

    def _each_second(self) -> None:
        self._tick = asyncio.get_running_loop().call_later(_EVERY, self._each_second)
        now = time.monotonic()
        for viewer in self._viewers:
            if viewer.expired(now):
                _EXPIRED.inc()
                viewer.connection.abort()
        self._names = ()  # rights may have changed
        self._tell()

    def _change(self, _: Camera) -> None:
        self._stale = True
        if self._viewers and self._news is None:
            wait = self._renewed + _AT_MOST_EVERY - time.monotonic()
            self._news = asyncio.get_running_loop().call_later(max(0.0, wait), self._after_change)

    def _after_change(self) -> None:
        self._news = None
        self._tell()

    def _renew(self) -> None:
        self._message.renew()
        self._renewed, self._stale = time.monotonic(), False

    def _tell(self) -> None:
        self._renew()
        known, self._names = self._names, self._message.names
        for viewer in self._viewers:
            if known != self._names:
                self._admit(viewer)
            viewer.tell(self._message.message(viewer.visible))

    def _admit(self, viewer: Viewer) -> None:
        viewer.allow(name for name in self._message.names if viewer.visitor.may_see(name))
