"""Follows the cameras of the topic: those of this producer's share are captured as their records say."""

import time
from collections.abc import Callable
from typing import Final

from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.cameras.topic import CameraTopic
from pipeline.flow.ledger import Ledger
from pipeline.service.workers import Pulse
from producer import metrics
from producer.sharing.captures import Captures
from producer.sharing.group import CameraGroup
from producer.sharing.wishes import Wishes

_TIDY_EVERY: Final = 5.0  # s
_ONES_OWN: Final = 5.0  # s to find out how many partitions there are


class Follower:
    """From the topic to the share, and from the share to the captures.

    `own` writes the record of this producer's own camera, and returns whether that is done; it is called with
    whether to wait no longer for the topic of the frames.
    """

    def __init__(
        self,
        topic: CameraTopic,
        group: CameraGroup,
        *,
        wishes: Wishes,
        captures: Captures,
        ledger: Ledger,
        own: Callable[[bool], bool],
    ) -> None:
        self._topic = topic
        self._group = group
        self._wishes = wishes
        self._captures = captures
        self._ledger = ledger
        self._own: Callable[[bool], bool] | None = own
        self._own_until: float | None = None
        self._tidy_at = 0.0

    def run(self, pulse: Pulse) -> None:
        """Follow until `pulse.stopping` is set, then hand over: a worker."""
        try:
            while not pulse.stopping.is_set():
                self.step()
                pulse.beat()
        finally:
            if pulse.stopping.is_set():
                self._captures.mute()
                self._group.leave()

    def step(self) -> None:
        """Take what has come; see `CameraGroup.step` for how long that may take."""
        if not self._topic.is_read:
            time.sleep(0.05)
            return
        self._write_own()
        now = time.time()
        cameras = {
            name: record
            for name, record in self._topic.cameras.copy().items()
            if not (isinstance(record, CameraRecord) and record.has_ended(now))
        }
        share = self._group.step(cameras)
        if not self._group.is_awake:
            self._captures.mute()
        if share is not None:
            self._captures.follow({name: self._wishes.of(name, cameras[name]) for name in share})
        self._tidy(cameras)

    def unready(self) -> str | None:
        """Return why this producer has no share yet, in one line, or None."""
        return self._topic.unready() or self._group.unready()

    def _write_own(self) -> None:
        now = time.monotonic()
        if self._own_until is None:
            self._own_until = now + _ONES_OWN
        if self._own and self._own(now >= self._own_until):
            self._own = None

    def _tidy(self, cameras: dict[str, CameraRecord | RecordError]) -> None:
        """Forget what was known about removed cameras."""
        if time.monotonic() < self._tidy_at:
            return
        self._tidy_at = time.monotonic() + _TIDY_EVERY
        self._wishes.keep(cameras)
        for name in self._captures.numbered() | self._ledger.snapshot().keys():
            if name not in cameras and self._captures.forget(name):
                self._ledger.forget(name)
                metrics.forget(name)
