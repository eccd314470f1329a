"""The cameras that have sent no frame: those of the topic of cameras, and those that are only reported."""

import logging
import math
from collections.abc import Callable
from typing import Final

from pipeline.flow.places import Places
from pipeline.service.logs import Seldom
from pipeline.wire.status import EVERY
from video.cameras.awaited import Awaited
from video.cameras.camera import Camera, Limits
from video.cameras.configured import Configured
from video.cameras.reports import Consumers, Report, newer

log = logging.getLogger(__name__)

_FULL: Final = "camera {} is not listed: there are {} cameras (MAXCAMERAS)"


class Waiting:
    """Belongs to the event loop; `cameras` are those with frames, which count towards `most` as well.

    Configured cameras are listed first, and stay. The others share what is left: each is forgotten `ttl` s
    after its last report, or soon if its producer was stopped. `changed` and `gone` are called for each that
    comes, changes or goes.
    """

    def __init__(
        self,
        cameras: dict[str, Camera],
        limits: Limits,
        consumers: Consumers,
        *,
        most: int,
        ttl: float,
        new_id: Callable[[], int],
        changed: Callable[[Awaited], object],
        gone: Callable[[str], object],
    ) -> None:
        self.configured: dict[str, Configured] = {}
        """What the topic of cameras says, by name; also of cameras with frames."""
        self.awaited: dict[str, Awaited] = {}
        self._cameras = cameras
        self._limits = limits
        self._consumers = consumers
        self._most = most
        self._ttl = ttl
        self._new_id = new_id
        self._changed = changed
        self._gone = gone
        self._reported = Places(most, math.inf, self._unlist, memory=3 * EVERY)
        self._unlisted: dict[str, None] = {}  # configured cameras beyond `most`
        self._seldom = Seldom(log)

    def configure(self, name: str, configured: Configured) -> None:
        """Take a record of a camera without frames."""
        configured = self.configured[name] = configured.after(self.configured.get(name))
        awaited = self.awaited.get(name)
        if awaited is None:
            self._list(name, None)
            return
        self._keep(awaited)
        awaited.configure(configured)
        self._changed(awaited)

    def remove(self, name: str) -> None:
        """Forget a camera that is no longer in the topic."""
        self.configured.pop(name, None)
        self._unlisted.pop(name, None)
        self._reported.leave(name)
        self._unlist(name)
        if self._unlisted:
            self._list(next(iter(self._unlisted)), None)

    def report(self, name: str, report: Report, now: float) -> None:
        """Take a producer's record about a camera without frames."""
        if (awaited := self.awaited.get(name)) is None:
            if not report.stopped():
                self.list(name, report, now)
            return
        self._reported.hear(name, now)
        if awaited.take(newer(awaited.report, report, now)):
            self._changed(awaited)

    def list(self, name: str, report: Report | None, now: float) -> None:
        """List a camera of which no frame has come."""
        if name in self.configured:
            self._list(name, report)
            return
        if report is None:
            return
        self._reported.most = self._most - len(self._cameras) - self._kept()
        if not self._reported.take(name, now):
            self._seldom.warning("too_many_cameras", _FULL.format(name, self._most))
            return
        self._add(name, report)

    def leave(self, name: str) -> Awaited | None:
        """Let a camera go to those with frames; return what was known of it."""
        self._unlisted.pop(name, None)
        awaited = self.awaited.pop(name, None)
        self._reported.leave(name)
        return awaited

    def make_room(self) -> None:
        """Let a camera go that is only reported, if there are too many."""
        if len(self._cameras) + len(self.awaited) <= self._most:
            return
        others = [
            (each.report.until, name)
            for name, each in self.awaited.items()
            if each.configured is None and each.report is not None
        ]
        if others:
            self._reported.leave(min(others)[1])

    def expire(self, now: float) -> None:
        """Forget cameras of which nothing is reported any more."""
        for awaited in list(self.awaited.values()):
            report = awaited.report
            if report is None or awaited.configured is not None or now < report.until:
                continue
            if report.stopped() or now - report.last_heard() > self._ttl:
                self._reported.leave(awaited.name)

    def open(self) -> None:
        """List the configured cameras that are not in the list."""
        missing = [name for name in self.configured if name not in self.awaited and name not in self._cameras]
        self._unlisted = dict.fromkeys(missing)
        for name in missing:
            self._list(name, None)

    def clear(self) -> None:
        """Forget all that were reported, and list nothing."""
        for name in list(self.awaited):
            del self.awaited[name]
            self._reported.leave(name)

    def _list(self, name: str, report: Report | None) -> None:
        """List a configured camera, in place of one that is only reported."""
        others = len(self.configured) - len(self._unlisted) - (name not in self._unlisted)
        if others >= self._most:
            self._unlisted[name] = None
            self._seldom.warning("too_many_cameras", _FULL.format(name, self._most))
            return
        self._unlisted.pop(name, None)
        self._add(name, report)
        self.make_room()

    def _add(self, name: str, report: Report | None) -> None:
        awaited = self.awaited[name] = Awaited(
            self._new_id(),
            name,
            report,
            self._limits,
            self._consumers,
            configured=self.configured.get(name),
        )
        self._changed(awaited)

    def _keep(self, awaited: Awaited) -> None:
        """Take a camera out of the places of those that are only reported."""
        del self.awaited[awaited.name]
        self._reported.leave(awaited.name)
        self.awaited[awaited.name] = awaited

    def _kept(self) -> int:
        return sum(each.configured is not None for each in self.awaited.values())

    def _unlist(self, name: str) -> None:
        if self.awaited.pop(name, None) is not None:
            self._gone(name)
