"""All cameras, by name: frames come from the reader's thread, clients from the event loop."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from typing import Final

from pipeline.flow.ledger import Ledger
from pipeline.flow.newest import Newest
from pipeline.wire.frame import Frame, age_of
from video.cameras.camera import Camera, Limits

_CHECK_EVERY: Final = 0.2  # s


class Cameras:
    """The cameras of the cameras seen so far.

    On the event loop, `on_frame` is called for each frame that is put up, and `on_change` when a camera came,
    or its state or a label of it changed. `broker_away` tells whether Kafka does not answer.
    """

    def __init__(self, limits: Limits, ledger: Ledger) -> None:
        self.on_frame: list[Callable[[Camera], None]] = []
        self.on_change: list[Callable[[Camera], None]] = []
        self.broker_away: Callable[[], bool] = bool  # for as long as nobody knows
        self._limits = limits
        self._ledger = ledger
        self._frames = Newest[Frame](replaced=lambda frame: ledger.dropped(frame.camera, "replaced"))
        self._cameras: dict[str, Camera] = {}
        self._numbers = itertools.count(1)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._any = asyncio.Event()

    def offer(self, camera: str, frame: Frame) -> None:
        """Take a frame from any thread, and show it soon; a newer one of the same camera may replace it."""
        self._frames.put(camera, frame)
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._show)

    def open(self) -> None:
        """Show frames on the running event loop from now on."""
        self._loop = asyncio.get_running_loop()
        self._any = asyncio.Event()
        self._show()

    async def watch(self) -> None:
        """Notice cameras that fall silent, for ever."""
        while True:
            await asyncio.sleep(_CHECK_EVERY)
            for camera in self:
                if camera.check(broker_away=self.broker_away()):
                    self._tell(self.on_change, camera)

    def close(self) -> None:
        """End all streams, and forget the cameras."""
        self._loop = None
        for camera in self._cameras.values():
            camera.close()
        self._cameras.clear()
        self._any.set()

    def drop_rest(self) -> None:
        """Count the frames that were not shown."""
        for frame in self._frames.clear():
            self._ledger.dropped(frame.camera, "stopping")

    def __iter__(self) -> Iterator[Camera]:
        """Yield the cameras in the order of the cameras' names."""
        yield from (self._cameras[name] for name in sorted(self._cameras))

    def get(self, name: str) -> Camera | None:
        """Return a camera, if it has been seen."""
        return self._cameras.get(name)

    async def first(self, may_see: Callable[[str], bool]) -> Camera | None:
        """Return the first camera that may be seen, waiting for one; None when the cameras closes."""
        while self._loop is not None:
            came = self._any
            for camera in self:
                if may_see(camera.name):
                    return camera
            await came.wait()
        return None

    def _show(self) -> None:
        if self._loop is None:  # closed since this was called for
            return
        for frame in self._frames.clear():
            camera = self._cameras.get(frame.camera)
            if camera is None:
                camera = self._add(frame)
                changed = True
            else:
                changed = camera.show(frame)
            self._tell(self.on_frame, camera)
            if changed:
                self._tell(self.on_change, camera)
            self._ledger.went(frame.camera, age_of(frame.captured))

    def _add(self, frame: Frame) -> Camera:
        camera = self._cameras[frame.camera] = Camera(next(self._numbers), frame, self._limits)
        # A new event for the next camera: who waits for the old one need not be asked whether it woke.
        came, self._any = self._any, asyncio.Event()
        came.set()
        return camera

    @staticmethod
    def _tell(listeners: list[Callable[[Camera], None]], camera: Camera) -> None:
        for listener in listeners:
            listener(camera)
