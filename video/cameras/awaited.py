"""A camera that has sent no frame yet: it is known from its record, or from its producer's reports."""

import time
from functools import partial
from typing import Final

from pipeline.flow.patience import patience
from video.cameras.camera import CameraStatus, Limits, State, timestamp
from video.cameras.configured import Configured
from video.cameras.reports import Consumers, Report, why_silent

_GRACE: Final = 15.0  # s that a first frame may take if nothing is known to be in its way


class Awaited:
    """Belongs to the event loop; its first frame puts a `Camera` in its place. `id` is as a camera's.

    It has a `report`, or it is `configured`, or both.
    """

    def __init__(
        self,
        identity: int,
        name: str,
        report: Report | None,
        limits: Limits,
        consumers: Consumers,
        *,
        configured: Configured | None = None,
    ) -> None:
        self.id = identity
        self.name = name
        self.report = report
        self.configured = configured
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
        if self.report is None or self.report.status.state != report.status.state:
            self._live_since = now
        self.report = report
        self.state = self._judge(now)
        return before != (self.state, self._reason(now))

    def configure(self, configured: Configured | None) -> None:
        """Take a newer record, or note that there is none any more."""
        self.configured = configured
        self.state = self._judge(time.monotonic())

    def status(self) -> CameraStatus:
        """Return what the API reports about this camera."""
        now = time.monotonic()
        return {
            "name": self.name,
            "group": self.configured.group if self.configured else "",
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

    def condition(self) -> tuple[State, str | None]:
        """Return the state, and why if something is wrong."""
        now = time.monotonic()
        return self._judge(now), self._reason(now)

    def _judge(self, now: float) -> State:
        if self._broker:
            return "broker-away"
        if self.configured is not None and self.configured.is_paused:
            return "paused"
        report = self._report_that_counts(now)
        if report is None:
            return "connecting" if self._is_new(now) else "never-seen"
        if report.status.state == "paused":
            return "paused"
        on_its_way = report.status.state == "live" and now - self._live_since <= self._grace(report, now)
        return "connecting" if report.status.state == "connecting" or on_its_way else "never-seen"

    def _report_that_counts(self, now: float) -> Report | None:
        return self.report if self.report is not None and self.report.counts(now) else None

    def _is_new(self, now: float) -> bool:
        """Return whether the record came so recently that no producer may have noticed it yet."""
        new = self.configured
        usable = new is not None and new.trouble is None and new.locked is None
        return new is not None and usable and self.report is None and now - new.since <= _GRACE

    def _grace(self, report: Report, now: float) -> float:
        usual = max(_GRACE, self._patience)
        interval = report.interval(now)
        if self._consumers.missing(now):  # perhaps only since the last frame
            return min(patience((), self._patience, interval), usual)
        return patience((), usual, interval)

    def _reason(self, now: float) -> str | None:
        if self._broker:
            return self._broker
        if self.configured is not None and (reason := self._reason_of_record(self.configured, now)):
            return reason
        report = self.report
        if report is None or (self.configured is not None and self.configured.is_paused):
            return None
        if self._judge(now) == "connecting" and report.status.state == "live":
            return "its first frame is on its way"
        missing = partial(self._consumers.missing, now)
        return why_silent(report, missing, now, still_sends=True)

    def _reason_of_record(self, configured: Configured, now: float) -> str | None:
        """Return why the camera cannot be captured, as far as no producer has to say it."""
        if configured.trouble or configured.is_paused:
            return configured.trouble
        if self._report_that_counts(now) is not None:
            return None
        if configured.locked or self.report is not None:
            return configured.locked
        if self._is_new(now):
            return "no producer has opened it yet"
        return "no producer reports it: start one with the same CAMERASTOPIC"

    def _since(self, now: float) -> float:
        if self._broker:
            return self._broker_since
        configured = self.configured
        if self.report is None or (configured is not None and configured.is_paused):
            return configured.known if configured else time.time()
        if not self.report.counts(now):
            return time.time() - (now - self.report.last_heard())
        return min(self.report.status.since, time.time())
