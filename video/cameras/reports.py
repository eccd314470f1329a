"""What producers and consumers report, and what it says about a camera without frames."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from pipeline.wire.status import EVERY, LIFETIME, Status

_MOST_CONSUMERS: Final = 100
_LATE: Final = 2.5 * EVERY  # s after which a report that all is well is doubted
_NO_FRAMES: Final = frozenset({"no-signal", "paused", "stopped"})


@dataclass(frozen=True, slots=True)
class Report:
    """A status record, and until when it counts: s of the monotonic clock."""

    status: Status
    until: float

    def counts(self, now: float) -> bool:
        """Return whether the record is not too old."""
        return now < self.until

    def stopped(self) -> bool:
        """Return whether it was the last record of its process."""
        return self.status.state == "stopped"

    def interval(self, now: float) -> float:
        """Return the usual time in s between two frames, as far as a producer that runs says so; or 0."""
        return self.status.interval if self.counts(now) and not self.stopped() else 0.0

    def denies(self, now: float) -> bool:
        """Return whether it says that no frames are coming."""
        return self.counts(now) and self.status.state in _NO_FRAMES

    def last_heard(self) -> float:
        """Return when the record was written, by the monotonic clock."""
        return self.until - LIFETIME


def newer(old: Report | None, new: Report, now: float) -> Report:
    """Return which of two records about a camera says how it is."""
    if old is None or old.status.subject == new.status.subject:
        return new
    # Another producer of this camera: it replaces one that has stopped, or was killed.
    if new.until < old.until or (new.stopped() and not old.stopped() and old.counts(now)):
        return old
    return new


class Consumers:
    """What is wrong with the consumers, if anything."""

    def __init__(self) -> None:
        self._reports: dict[str, Report] = {}  # by instance, the newest last

    def note(self, report: Report) -> None:
        """Note a consumer's record."""
        instance = report.status.subject.instance
        self._reports.pop(instance, None)
        if len(self._reports) == _MOST_CONSUMERS:
            oldest = next(iter(self._reports))
            # An invented one must not take the place of one that reports every ten seconds.
            if self._reports[oldest].counts(time.monotonic()):
                return
            del self._reports[oldest]
        self._reports[instance] = report

    def trouble(self, now: float, about: str = "") -> str | None:
        """Return the newest reason why a consumer is not ready that begins with `about`, or None."""
        reasons = (report.status.reason for report in self._running(now) if report.status.reason)
        return next((reason for reason in reasons if reason.startswith(about)), None)

    def missing(self, now: float) -> str:
        """Return why no labelled frames may come, or an empty text."""
        if reason := self.trouble(now):
            return f"the consumer is not ready: {reason}"
        heard = [report.last_heard() for report in self._running(now)]
        if not heard:
            return "no consumer reports"
        return "" if now < max(heard) + _LATE else "the consumer no longer reports"

    def _running(self, now: float) -> Iterator[Report]:
        return (each for each in reversed(self._reports.values()) if each.counts(now) and not each.stopped())


def why_silent(
    report: Report | None, missing: Callable[[], str], now: float, *, still_sends: bool
) -> str | None:
    """Return why no frames of a camera arrive, as far as its producer's last record says so.

    `missing` returns what may be wrong behind the producer. `still_sends` is whether a producer that reports
    a live camera would have noticed by now that the camera has fallen silent.
    """
    if report is None:
        return None
    state = report.status.state
    if state == "stopped":
        return "its producer has stopped"
    if now >= (report.last_heard() + _LATE if state == "live" else report.until):
        return "its producer no longer reports"
    if state == "connecting":
        return "it is being opened"
    return _lost_behind(missing(), still_sends) if state == "live" else report.status.reason


def _lost_behind(missing: str, still_sends: bool) -> str | None:
    if missing:
        return f"its producer sends frames, but none arrive: {missing}"
    return "its producer sends frames, but none arrive" if still_sends else None
