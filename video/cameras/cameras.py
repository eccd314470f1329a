"""All cameras, by name: frames come from the reader's thread, listeners live on the event loop."""

import asyncio
import itertools
import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from pipeline.cameras.record import is_preview
from pipeline.flow.ledger import Ledger
from pipeline.flow.newest import Newest
from pipeline.wire.frame import Frame, age_of
from pipeline.wire.status import LIFETIME, Status
from video.cameras.camera import Camera, Limits, Listed, Listener
from video.cameras.configured import Configured
from video.cameras.removed import Removed
from video.cameras.reports import Consumers, Report, newer
from video.cameras.waiting import Waiting

_CHECK_EVERY: Final = 0.2  # s
_IDS: Final = range(1, 0x10000)  # a picture names its camera in 16 bits
_MOST_REPORTS: Final = 10_000  # that wait for the event loop


class Cameras:
    """The cameras seen so far and not forgotten, and those that are only configured or reported.

    There are at most `most`: configured cameras come first, then those that send frames, then those that are
    only known from reports. Such a camera is forgotten `ttl` s after its last report, or soon if its producer
    was stopped. A camera that was configured is forgotten as soon as it is removed; frames that are still on
    their way are handed to `on_late`, by name.

    Previews are in no list, and only their own listeners get their events.

    `offer`, `forget`, `configure`, `report` and `report_broker` may be called from any thread, all else from
    the event loop.
    """

    def __init__(self, limits: Limits, ledger: Ledger, *, most: int = 256, ttl: float = math.inf) -> None:
        self.on_late: Callable[[str], object] = lambda _: None
        self._limits = limits
        self._ledger = ledger
        self._listeners: list[Listener] = []
        self._frames = Newest[Frame](replaced=lambda frame: ledger.dropped(frame.camera, "replaced"))
        self._to_forget = deque[str]()
        self._reports = deque[Report](maxlen=_MOST_REPORTS)
        self._changes = Newest[tuple[str, Configured | None]](replaced=lambda _: None)
        self._consumers = Consumers()
        self._broker: str | None = None
        self._cameras: dict[str, Camera] = {}
        self._waiting = Waiting(
            self._cameras,
            limits,
            self._consumers,
            most=most,
            ttl=ttl,
            new_id=self._new_id,
            changed=self._report_change,
            gone=self._report_gone,
        )
        self._removed = Removed()
        self._ids = itertools.cycle(_IDS)
        self._first_ids = len(_IDS)  # that nobody can have yet
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = False  # whether the loop is about to work
        self._came = asyncio.Event()

    def offer(self, name: str, frame: Frame) -> None:
        """Take a frame and show it soon; a newer one of the same camera may replace it."""
        self._frames.put(name, frame)
        self._wake()

    def forget(self, name: str) -> None:
        """Remove a camera soon; frames offered after this belong to a new camera of that name."""
        if self._frames.remove(name) is not None:
            self._ledger.dropped(name, "forgotten")
        self._to_forget.append(name)
        self._wake()

    def configure(self, name: str, configured: Configured | None) -> None:
        """Take a record of the topic of cameras; None removes the camera."""
        self._changes.put(name, (name, configured))
        self._wake()

    def report(self, status: Status, age: float) -> None:
        """Take a status record, written `age` s ago."""
        self._reports.append(Report(status, time.monotonic() + LIFETIME - age))
        self._wake()

    def report_broker(self, trouble: str | None) -> None:
        """Note what keeps this server from the frames on Kafka, or that nothing does."""
        self._broker = trouble

    @property
    def broker(self) -> str | None:
        """What keeps this server from the frames on Kafka, in one line, or None."""
        return self._broker

    def subscribe(self, listener: Listener) -> None:
        """Pass the events of all cameras to a listener, from now on.

        A listener that needs one camera only subscribes to that `Camera`.
        """
        self._listeners.append(listener)

    def open(self) -> None:
        """Show frames on the running event loop from now on."""
        self._loop = asyncio.get_running_loop()
        self._came = asyncio.Event()
        self._waiting.open()
        self._work()

    async def watch(self) -> None:
        """Keep noticing cameras that fall silent."""
        while True:
            await asyncio.sleep(_CHECK_EVERY)
            for camera in self._all().values():
                if camera.check(self._broker):
                    self._report_change(camera)
            self._waiting.expire(time.monotonic())

    def close(self) -> None:
        """End all streams, and drop the cameras; they return with their next frames after `open`."""
        self._loop = None
        for camera in self._cameras.values():
            camera.close()
        self._cameras.clear()
        self._waiting.clear()
        self._came.set()

    def drop_rest(self) -> None:
        """Count the frames that were not shown."""
        for frame in self._frames.clear():
            self._ledger.dropped(frame.camera, "stopping")

    def known(self) -> bool:
        """Return whether there is any camera; from any thread."""
        return bool(self._cameras or self._waiting.awaited)

    def __iter__(self) -> Iterator[Camera]:
        """Yield the cameras that have sent frames, in the order of their names."""
        yield from (self._cameras[name] for name in sorted(self._cameras))

    def listed(self) -> list[Listed]:
        """Return all cameras but previews, also those that have sent no frame yet, in the order of names."""
        return [each for name, each in sorted(self._all().items()) if not is_preview(name)]

    def get(self, name: str) -> Camera | None:
        """Return a camera; None if it has sent no frame, or has been forgotten."""
        return self._cameras.get(name)

    def find(self, name: str) -> Listed | None:
        """Return a camera, also one that has sent no frame yet; None if it is not known."""
        return self._cameras.get(name) or self._waiting.awaited.get(name)

    def unknown(self, name: str, may_see: Callable[[str], bool]) -> str:
        """Return one line for a visitor who asks for a camera that is not there; it names those that are."""
        known = ", ".join(camera.name for camera in self.listed() if may_see(camera.name))
        return (
            f"no camera {name!r}; there are: {known}" if known else f"no camera {name!r}: there are none yet"
        )

    async def first(self, may_see: Callable[[str], bool]) -> Camera | None:
        """Return the first camera that may be seen, waiting for one; None when the server stops."""
        while self._loop is not None:
            came = self._came
            for camera in self:
                if may_see(camera.name):
                    return camera
            await came.wait()
        return None

    def _wake(self) -> None:
        loop = self._loop
        if loop is None or self._woken:
            return
        self._woken = True
        try:
            loop.call_soon_threadsafe(self._work)
        except RuntimeError:
            # The loop has closed meanwhile; `open` on the next one takes up what is waiting.
            if not loop.is_closed():
                raise

    def _work(self) -> None:
        self._woken = False  # before anything is taken: what comes from now on wakes the loop again
        if self._loop is None:  # closed since this was scheduled
            return
        # First, so that a frame offered after `forget` makes a new camera.
        while self._to_forget:
            self._forget(self._to_forget.popleft())
        for name, configured in self._changes.clear():
            self._configure(name, configured)
        while self._reports:
            self._take(self._reports.popleft())
        for frame in self._frames.clear():
            self._show(frame)

    def _show(self, frame: Frame) -> None:
        camera = self._cameras.get(frame.camera)
        if camera is None and self._is_late(frame.camera):
            self._ledger.dropped(frame.camera, "forgotten")
            self.on_late(frame.camera)
            return
        if camera is None:
            camera, changed = self._add(frame), True
        else:
            changed = camera.show(frame)
        if not is_preview(camera.name):
            for listener in self._listeners:
                listener.frame(camera)
        if changed:
            self._report_change(camera)
        self._ledger.went(frame.camera, age_of(frame.captured))

    def _is_late(self, name: str) -> bool:
        """Return whether a frame belongs to a camera that was removed."""
        if name in self._waiting.configured:
            return False
        return is_preview(name) or self._removed.has(name, time.monotonic())

    def _report_change(self, camera: Listed) -> None:
        if not is_preview(camera.name):
            for listener in self._listeners:
                listener.changed(camera)

    def _report_gone(self, name: str) -> None:
        for listener in self._listeners:
            listener.gone(name)

    def _configure(self, name: str, configured: Configured | None) -> None:
        camera = self._cameras.get(name)
        if configured is None:
            self._removed.add(name, time.monotonic())
            self._waiting.remove(name)
            if camera is not None:
                self._end(camera)
            return
        self._removed.discard(name)
        if camera is None:
            self._waiting.configure(name, configured)
            return
        self._waiting.configured[name] = configured
        camera.configure(configured)
        self._report_change(camera)

    def _add(self, frame: Frame) -> Camera:
        awaited = self._waiting.leave(frame.camera)
        camera = self._cameras[frame.camera] = Camera(
            self._new_id(),
            frame,
            self._limits,
            report=awaited.report if awaited else None,
            consumers=self._consumers,
            configured=self._waiting.configured.get(frame.camera),
        )
        self._waiting.make_room()
        # A new event for the next camera: nobody needs to check whether all who wait for this one have woken.
        came, self._came = self._came, asyncio.Event()
        came.set()
        return camera

    def _new_id(self) -> int:
        if self._first_ids:
            self._first_ids -= 1
            return next(self._ids)
        taken = {camera.id for camera in self._all().values()}
        return next(each for each in self._ids if each not in taken)

    def _take(self, report: Report) -> None:
        subject = report.status.subject
        if subject.service == "consumer" and not subject.camera:
            self._consumers.note(report)
        elif subject.service == "producer" and subject.camera:
            self._take_of_camera(subject.camera, report)

    def _take_of_camera(self, name: str, report: Report) -> None:
        now = time.monotonic()
        if (camera := self._cameras.get(name)) is not None:
            camera.report = newer(camera.report, report, now)
        elif not self._is_late(name):
            self._waiting.report(name, report, now)

    def _all(self) -> dict[str, Listed]:
        return {**self._waiting.awaited, **self._cameras}

    def _end(self, camera: Camera) -> None:
        del self._cameras[camera.name]
        camera.close()
        self._report_gone(camera.name)

    def _forget(self, name: str) -> None:
        camera = self._cameras.get(name)
        if camera is None:
            return
        self._end(camera)
        report, now = camera.report, time.monotonic()
        is_running = report is not None and report.counts(now) and not report.stopped()
        self._waiting.list(name, report if is_running else None, now)  # its producer still tries
