"""All streams: which there are, and those that somebody watches."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

from pipeline.access.visitor import Visitor
from pipeline.cameras.record import is_preview
from pipeline.http.connection import Connection
from video.cameras.camera import SILENT, Camera, Listed
from video.cameras.cameras import Cameras
from video.streams.inferred.identity import Identity
from video.streams.inferred.separate import models_of, obstacle
from video.streams.inferred.stream import InferredStream


class LeftOut(NamedTuple):
    """A stream that there should be, and why there is none."""

    identity: Identity
    reason: str


class InferredStreams:
    """Listens to all cameras; belongs to the event loop."""

    def __init__(self, cameras: Cameras) -> None:
        self._cameras = cameras
        self._pool = ThreadPoolExecutor(1, "separate")  # one thread: drawing is not for several
        self._streams: dict[str, dict[str, InferredStream]] = {}  # by camera and model
        cameras.subscribe(self)

    @contextmanager
    def join(self, identity: Identity, connection: Connection, visitor: Visitor) -> Iterator[None]:
        """Send a client a stream's pictures, from when there are any.

        The visitor gets those of cameras that may be seen now.
        """
        of_camera = self._streams.setdefault(identity.camera, {})
        stream = of_camera.get(identity.model)
        if stream is None:
            stream = of_camera[identity.model] = InferredStream(identity, self._pool)
            self._attach(identity.camera)
        client = stream.add(connection, visitor)
        try:
            yield
        finally:
            stream.remove(client)
            if not stream.clients:
                stream.detach()
                del of_camera[identity.model]
                if not of_camera:
                    del self._streams[identity.camera]

    def frame(self, camera: Camera) -> None:
        """Do nothing: the streams listen to their cameras."""

    def changed(self, camera: Listed) -> None:
        """Let the streams of a camera that has come, or come back, follow it."""
        self._attach(camera.name)

    def gone(self, name: str) -> None:
        """Do nothing: the camera says so to its streams."""

    def _attach(self, name: str) -> None:
        streams = self._streams.get(name)
        if not streams or is_preview(name):
            return
        camera = self._cameras.get(name)
        if camera is not None:
            for stream in streams.values():
                stream.attach(camera)


def found(cameras: Cameras, visitor: Visitor) -> tuple[list[Identity], list[LeftOut]]:
    """Return the streams that a visitor may see and whose frames arrive, and those that are left out."""
    there, left_out = list[Identity](), list[LeftOut]()
    for camera in cameras:
        if is_preview(camera.name) or camera.state in SILENT or not visitor.may_see(camera.name):
            continue
        streams = [Identity(camera.name, model) for model in models_of(camera.frame)]
        if reason := obstacle(camera.frame):
            left_out += (LeftOut(each, reason) for each in streams)
        else:
            there += streams
    return there, left_out
