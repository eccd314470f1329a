"""The processes of all services, as far as they report: their states, and their figures of each camera."""

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pipeline.wire.figures import FIGURES_EVERY, OVER, CameraFigures, Figures
from pipeline.wire.model_figures import ModelFigures, Models
from pipeline.wire.status import EVERY, LIFETIME, State, Status

MOST_PROCESSES: Final = 500
"""The most processes that are kept; one that has fallen silent makes room."""

MOST_FIGURES: Final = 20_000
"""The most cameras of all processes together whose figures are kept."""

_LATE: Final = 2.5 * EVERY  # s without a report after which a process has probably ended
_FRESH: Final = 5 * FIGURES_EVERY  # s for which figures count
_SETTLED: Final = 5.0  # s after which what comes is new, and not what the topic has kept
_SERIES: Final = 1.5 * EVERY  # s: within them, each process writes a record
_AHEAD: Final = 2.0  # s
_BEHIND: Final = 4.0  # s: a record takes up to two, also when much is going on
_LAGS: Final = 3
_READY: Final = frozenset[State]({"ready", "live", "paused"})


@dataclass(frozen=True, slots=True)
class Process:
    """A process at a moment. `figures` are None if there are none that count; `why` is the reason, then.

    `state` is `silent` if it no longer reports. `clock` is by how many s its clock is ahead of this server's,
    if that is worth a mention. `models` are those that it asks, as far as it reports them.
    """

    service: str
    instance: str
    state: str
    reason: str | None
    since: float
    figures: Mapping[str, CameraFigures] | None
    why: str = ""
    clock: float = 0.0
    models: Mapping[str, ModelFigures] = field(default_factory=dict)

    @property
    def runs(self) -> bool:
        """Whether it has reported lately, and has not stopped."""
        return self.state not in {"stopped", "silent"}


@dataclass(slots=True)
class _Known:
    began: float  # when it was first heard of, and last: s of the monotonic clock
    heard: float
    status: Status | None = None
    of_camera: Status | None = None
    figured: float | None = None
    figures: dict[str, tuple[float, CameraFigures]] = field(default_factory=dict)
    lags: deque[float] = field(default_factory=lambda: deque(maxlen=_LAGS))
    models: tuple[float, Mapping[str, ModelFigures]] = (-_FRESH, {})  # and when they were heard of


class Processes:
    """Keeps what is reported, from any thread, as long as a record counts: for a minute.

    How old a record is depends on clocks: on the broker's or the process's, and on this machine's. Once the
    topic has been read to its end, a record is as old as it has been here. `me` is this server's instance.
    """

    def __init__(self, me: str = "") -> None:
        self.me = me
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], _Known] = {}
        self._overflowed = self._ignored = self._ignoring = -LIFETIME
        self._count = 0  # of figures
        self._behind = 0.0  # s

    def report(self, status: Status, age: float) -> None:
        """Take a status record, written `age` s ago."""
        subject = status.subject
        with self._lock:
            known = self._of(subject.service, subject.instance, age)
            if known is None:
                return
            if not subject.camera:
                known.status = status
            # The record of a camera that has moved is removed, while the process goes on.
            elif status.state != "stopped" or known.status is None:
                known.of_camera = status

    def figure(self, figures: Figures, age: float) -> None:
        """Take figures, written `age` s ago."""
        with self._lock:
            known = self._of(figures.service, figures.instance, age)
            if known is None:
                return
            now = time.monotonic()
            if now - known.began >= _SETTLED:
                known.lags.append(figures.time - time.time())
            known.figured = known.heard
            for name, each in figures.cameras.items():
                if name not in known.figures and self._count >= MOST_FIGURES:
                    self._overflowed = now
                    break
                self._count += name not in known.figures
                known.figures[name] = known.heard, each
            for name in [name for name, (at, _) in known.figures.items() if now - at > _FRESH]:
                del known.figures[name]
                self._count -= 1

    def figure_models(self, found: Models, age: float) -> None:
        """Take figures of models, written `age` s ago."""
        with self._lock:
            known = self._of(found.service, found.instance, age)
            if known is not None:
                known.models = known.heard, found.models

    def ignored(self, age: float) -> None:
        """Note a record that does not count, because it was written `age` s ago.

        Those that the topic has kept, or that have waited while Kafka was away, come all at once. Only a
        clock makes them come again and again.
        """
        now = time.monotonic()
        if now - self._ignored >= _SERIES:
            self._ignoring = now
        self._ignored, self._behind = now, age

    def current(self) -> list[Process]:
        """Return the processes that count now, in the order of their names."""
        with self._lock:
            now = time.monotonic()
            self._forget(now)
            found = (_process(key, known, now) for key, known in sorted(self._known.items()))
            return [process for process in found if process is not None]

    def notes(self) -> list[str]:
        """Return what is to be said about all of them together."""
        now = time.monotonic()
        notes = []
        if now - self._ignored < LIFETIME and self._ignored - self._ignoring >= _SERIES:
            notes.append(
                f"reports arrive that seem to be {self._behind:.0f} s old, and do not count: the clock of"
                " Kafka or of a service disagrees with this server's; set them"
            )
        if now - self._overflowed < LIFETIME:
            notes.append(
                f"more than {MOST_PROCESSES} processes, or {MOST_FIGURES} cameras in them, report: the others"
                " are not shown"
            )
        return notes

    def _of(self, service: str, instance: str, age: float) -> _Known | None:
        """Return the process that reports now; None if there are too many."""
        now, key = time.monotonic(), (service, instance)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= MOST_PROCESSES and not self._make_room(now):
                self._overflowed = now
                return None
            known = self._known[key] = _Known(now, now - max(0.0, age))
        elif now - known.began >= _SETTLED:
            known.heard = now
        else:
            known.heard = max(known.heard, now - max(0.0, age))
        return known

    def _make_room(self, now: float) -> bool:
        """Forget the process that has been silent longest, unless an invented one would take its place."""
        key, oldest = min(self._known.items(), key=lambda item: item[1].heard)
        if now - oldest.heard < _LATE:
            return False
        self._remove(key)
        return True

    def _forget(self, now: float) -> None:
        for key in [key for key, known in self._known.items() if now - known.heard >= LIFETIME]:
            self._remove(key)

    def _remove(self, key: tuple[str, str]) -> None:
        self._count -= len(self._known.pop(key).figures)


def _process(key: tuple[str, str], known: _Known, now: float) -> Process | None:
    service, instance = key
    # Without a record of its own, it is the producer of a single camera, and says the same about both.
    status = known.status or known.of_camera
    if status is None:
        return None
    state, reason, since = _state(status), status.reason, status.since
    silent = now - known.heard
    if state != "stopped" and silent > _LATE:
        state, reason = (
            "silent",
            f"it has not reported for {silent:.0f} s: it was killed, or cannot reach Kafka",
        )
        since = time.time() - silent
    ahead = max(known.lags) if known.lags else 0.0
    clock = ahead if ahead > _AHEAD or ahead < -_BEHIND else 0.0
    if why := _why(known, state, now):
        return Process(service, instance, state, reason, since, None, why, clock)
    figures = {name: each for name, (at, each) in known.figures.items() if now - at <= _FRESH}
    heard, models = known.models
    counts = state != "stopped" and now - heard <= _FRESH
    return Process(service, instance, state, reason, since, figures, "", clock, models if counts else {})


def _state(status: Status) -> str:
    if not status.subject.camera or status.state == "stopped":
        return status.state
    return "ready" if status.state in _READY else "not-ready"


def _why(known: _Known, state: str, now: float) -> str:
    """Return why there are no figures that count, after the name of the process; or an empty text."""
    if state == "stopped":
        return "has stopped"
    if known.figured is None:
        settled = now - known.began > OVER
        return "reports no figures: it is an older version" if settled else "has not reported figures yet"
    silent = now - known.figured
    return f"has reported no figures for {silent:.0f} s" if silent > _FRESH else ""
