"""The `cameras` message: the list of cameras that every browser gets, and when it is sent."""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from typing import Final

from prometheus_client import Counter

from video.cameras.camera import Camera, Listed
from video.cameras.cameras import Cameras
from video.streams.message import text_message
from video.streams.socket.viewer import Viewer

_EVERY: Final = 1.0  # s
_AT_MOST_EVERY: Final = 0.1  # s, after changes

_EXPIRED = Counter("streamlens_sockets_expired", "WebSockets dropped because pictures were not acknowledged")


class CamerasMessage:
    """The `cameras` message, made once for all browsers that may see the same cameras."""

    def __init__(self, cameras: Cameras) -> None:
        self._cameras = cameras
        self._texts: dict[str, str] = {}
        self._ids: dict[str, int] = {}
        self._messages: dict[tuple[str, ...], bytes] = {}
        self._head = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the cameras in it, sorted."""
        return tuple(self._texts)

    @property
    def present(self) -> tuple[tuple[str, int], ...]:
        """The names and ids of the cameras in it."""
        return tuple(self._ids.items())

    def renew(self) -> None:
        """Describe the cameras as they are now."""
        now = round(1000 * time.time(), 1)
        broker = json.dumps(self._cameras.broker)
        self._head = f'{{"type": "cameras", "now": {now}, "broker": {broker}, "cameras": ['
        cameras = self._cameras.listed()
        self._texts = {camera.name: json.dumps({**camera.status(), "id": camera.id}) for camera in cameras}
        self._ids = {camera.name: camera.id for camera in cameras}
        self._messages.clear()

    def of(self, names: tuple[str, ...]) -> bytes:
        """Return the message about these cameras, as a WebSocket frame."""
        message = self._messages.get(names)
        if message is None:
            text = ", ".join(self._texts[name] for name in names)
            message = self._messages[names] = text_message(f"{self._head}{text}]}}")
        return message


class Roster:
    """Listens to all cameras, and sends each browser the list: at once, every second, and after changes.

    Belongs to the event loop, and is idle while there are no browsers.
    """

    def __init__(self, cameras: Cameras) -> None:
        self._message = CamerasMessage(cameras)
        self._viewers: set[Viewer] = set()
        self._known: tuple[tuple[str, int], ...] = ()  # the cameras that all viewers know
        self._renewed = 0.0
        self._outdated = True
        self._tick: asyncio.TimerHandle | None = None
        self._update: asyncio.TimerHandle | None = None
        cameras.subscribe(self)

    def frame(self, camera: Camera) -> None:
        """Do nothing: pictures reach the browsers through feeds."""

    def changed(self, camera: Listed) -> None:  # noqa: ARG002
        """Send the list soon."""
        self._send_soon()

    def gone(self, name: str) -> None:  # noqa: ARG002
        """Send the list, now without this camera, soon."""
        self._send_soon()

    @contextlib.contextmanager
    def join(self, viewer: Viewer) -> Iterator[None]:
        """Send a browser the list for as long as the context lasts."""
        if not self._viewers:
            self._tick = asyncio.get_running_loop().call_later(_EVERY, self._each_second)
        self._viewers.add(viewer)
        if self._outdated or time.monotonic() - self._renewed > _AT_MOST_EVERY:
            self._renew()
        self._admit(viewer)
        viewer.send_text(self._message.of(viewer.visible))
        try:
            yield
        finally:
            viewer.close()
            self._viewers.discard(viewer)
            if not self._viewers:
                self._rest()

    def _rest(self) -> None:
        for due in (self._tick, self._update):
            if due is not None:
                due.cancel()
        self._tick = self._update = None

    def _each_second(self) -> None:
        self._tick = asyncio.get_running_loop().call_later(_EVERY, self._each_second)
        now = time.monotonic()
        for viewer in self._viewers:
            if viewer.expired(now):
                _EXPIRED.inc()
                viewer.connection.abort()
        self._known = ()  # rights may have changed
        self._send()

    def _send_soon(self) -> None:
        self._outdated = True
        if self._viewers and self._update is None:
            wait = self._renewed + _AT_MOST_EVERY - time.monotonic()
            self._update = asyncio.get_running_loop().call_later(max(0.0, wait), self._after_change)

    def _after_change(self) -> None:
        self._update = None
        self._send()

    def _renew(self) -> None:
        self._message.renew()
        self._renewed, self._outdated = time.monotonic(), False

    def _send(self) -> None:
        self._renew()
        known, self._known = self._known, self._message.present
        for viewer in self._viewers:
            if known != self._known:
                self._admit(viewer)
            viewer.send_text(self._message.of(viewer.visible))

    def _admit(self, viewer: Viewer) -> None:
        viewer.allow(name for name in self._message.names if viewer.visitor.may_see(name))
