"""A camera that has sent no frame yet: it is known from its producer's reports."""

import time
from functools import partial
from typing import Final

from pipeline.flow.patience import patience
from video.cameras.camera import CameraStatus, Limits, State, timestamp
from video.cameras.reports import Consumers, Report, why_silent

_GRACE: Final = 15.0  # s that a first frame may take if nothing is known to be in its way


class Awaited:
    """Belongs to the event loop; its first frame puts a `Camera` in its place. `id` is as a camera's."""

    def __init__(
        self, identity: int, name: str, report: Report, limits: Limits, consumers: Consumers
    ) -> None:
        self.id = identity
        self.name = name
        self.report = report
        self._patience = limits.no_signal_after
        self._consumers = consumers
        self._live_since = time.monotonic()  # as far as its producer says so
        self._broker: str | None = None  # what is wrong with Kafka
        self._broker_since = 0.0
        self.state: State = self._judge(time.monotonic())

    def check(self, broker: str | None) -> bool:
        """Update the state; return whether it has changed. `broker`: what is wrong with Kafka, or None."""
        if broker and not self._broker:
            self._broker_since = time.time()
        self._broker = broker
        before, self.state = self.state, self._judge(time.monotonic())
        return before != self.state

    def take(self, report: Report) -> bool:
        """Take a newer record; return whether the state or the reason has changed."""
        before = self.state, self._reason(time.monotonic())
        now = time.monotonic()
        if self.report.status.state != report.status.state:
            self._live_since = now
        self.report = report
        self.state = self._judge(now)
        return before != (self.state, self._reason(now))

    def status(self) -> CameraStatus:
        """Return what the API reports about this camera."""
        now = time.monotonic()
        return {
            "name": self.name,
            "state": self._judge(now),
            "reason": self._reason(now),
            "since": timestamp(self._since(now)),
            "fps": 0.0,
            "age_ms": None,
            "seq": 0,
            "width": 0,
            "height": 0,
            "predictions": [],
        }

    def _judge(self, now: float) -> State:
        if self._broker:
            return "broker-away"
        status = self.report.status
        if not self.report.counts(now):
            return "never-seen"
        if status.state == "paused":
            return "paused"
        on_its_way = status.state == "live" and now - self._live_since <= self._grace(now)
        return "connecting" if status.state == "connecting" or on_its_way else "never-seen"

    def _grace(self, now: float) -> float:
        usual = max(_GRACE, self._patience)
        interval = self.report.interval(now)
        if self._consumers.missing(now):  # perhaps only since the last frame
            return min(patience((), self._patience, interval), usual)
        return patience((), usual, interval)

    def _reason(self, now: float) -> str | None:
        if self._broker:
            return self._broker
        if self._judge(now) == "connecting" and self.report.status.state == "live":
            return "its first frame is on its way"
        missing = partial(self._consumers.missing, now)
        return why_silent(self.report, missing, now, still_sends=True)

    def _since(self, now: float) -> float:
        if self._broker:
            return self._broker_since
        if not self.report.counts(now):
            return time.time() - (now - self.report.last_heard())
        return min(self.report.status.since, time.time())
