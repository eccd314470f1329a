"""How well this process keeps up, in the metrics of Elastic Inference, by which an autoscaler can decide.

Names and formula: https://github.com/premraot/Dynamically-Scaling-Multichannel-Video-Inference. Its highest
rate never decayed, so that one fast minute counted until the process ended, and its first report after a
pause covered the pause, too; neither is so here.
"""

import math
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from prometheus_client import Gauge

_INFER: Final = Gauge("ei_infer_fps", "Frames per second that models answered")
_DROP: Final = Gauge("ei_drop_fps", "Frames per second that models were too busy for")
_RATIO: Final = Gauge(
    "ei_scale_ratio",
    "Consumers that are needed, relative to those there are: (infer + drop) / infer, or infer / its maximum",
)

_REPORT_EVERY: Final = 10.0  # s
_IDLE_AFTER: Final = 30.0  # s without a frame
_IDLE_RATIO: Final = 0.5
_KEEP: Final = 1.0  # the ratio that leaves the number of replicas as it is
_HALF_LIFE: Final = 600.0  # s in which the highest rate loses half, if no other reaches it


class Report(NamedTuple):
    """What an autoscaler sees: two rates in frames per second, and how many times the replicas to have."""

    infer_fps: float = 0.0
    drop_fps: float = 0.0
    scale_ratio: float = 0.0


class Load:
    """Counts frames, once for each model, and reports their rates; for any thread.

    A report covers the ten seconds before it, or more if no frame came and nobody asked when it was due.
    Without frames, the last report stays for half a minute. Then the rates are 0, and the ratio is one half.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._begun = self._last = clock()
        self._inferred = self._dropped = 0
        self._highest = 0.0
        self._report = Report()

    def export(self) -> None:
        """Let Prometheus read the reports of this object from now on."""
        _INFER.set_function(lambda: self.report().infer_fps)
        _DROP.set_function(lambda: self.report().drop_fps)
        _RATIO.set_function(lambda: self.report().scale_ratio)

    def inferred(self) -> None:
        """Count a frame that a model has answered."""
        with self._lock:
            self._came()
            self._inferred += 1

    def dropped(self, frames: int = 1) -> None:
        """Count frames that models should have been asked about, but for which there was no time."""
        with self._lock:
            self._came()
            self._dropped += frames

    def report(self) -> Report:
        """Return the last report, or the next one if that is due."""
        with self._lock:
            self._update(self._clock())
            return self._report

    def _came(self) -> None:
        now = self._clock()
        self._update(now)
        self._last = now

    def _update(self, now: float) -> None:
        seconds = now - self._begun
        if now - self._last >= _IDLE_AFTER:
            self._highest = self._decayed(seconds)
            self._next(now, Report(0.0, 0.0, _IDLE_RATIO))
        elif seconds >= _REPORT_EVERY and (self._inferred or self._dropped):
            infer, drop = self._inferred / seconds, self._dropped / seconds
            self._highest = max(infer, self._decayed(seconds))
            self._next(now, Report(infer, drop, _ratio(infer, drop, self._highest)))

    def _decayed(self, seconds: float) -> float:
        """Return the highest rate, `seconds` after the last report."""
        return self._highest * math.exp2(-seconds / _HALF_LIFE)

    def _next(self, now: float, report: Report) -> None:
        self._report = report
        self._begun = now
        self._inferred = self._dropped = 0


def _ratio(infer: float, drop: float, highest: float) -> float:
    if not infer:  # the models are away: more consumers would not help, and fewer would be too few later
        return _KEEP
    return (infer + drop) / infer if drop else infer / highest
