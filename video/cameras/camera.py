"""One camera as the video server knows it: its newest frame, who watches it, and its state."""

import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, Protocol, TypedDict

from pipeline.wire.frame import Frame, age_of
from pipeline.wire.predictions import as_json

State = Literal["live", "stale", "model-away", "no-signal", "broker-away"]
"""How a camera is.

No frame comes (`no-signal`, or `broker-away` when Kafka does not answer either), or frames come whose label
is missing (`model-away`) or old (`stale`), or all is well (`live`).
"""

SILENT: Final = frozenset({"no-signal", "broker-away"})
"""The states in which no frame comes."""

_FPS_OVER: Final = 5.0  # s


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on things count as old, in s: a camera's last frame, and the answer behind a label."""

    no_signal_after: float
    stale_after: float


class CameraStatus(TypedDict):
    """What is told of a camera, as JSON."""

    name: str
    state: State
    since: str
    fps: float
    age_ms: int
    seq: int
    width: int
    height: int
    predictions: list[dict[str, Any]]


class Watcher(Protocol):
    """Who is shown a camera's frames; neither may wait."""

    def show(self, camera: "Camera") -> None:
        """Take note of a new frame."""

    def close(self) -> None:
        """End: no more frames come for good."""


class Camera:
    """Lives on the event loop; `number` counts the frames that were put up, from 1."""

    def __init__(self, number: int, frame: Frame, limits: Limits) -> None:
        self.id = number
        self.frame = frame
        self.number = 1
        self._limits = limits
        self._watchers: set[Watcher] = set()
        self._arrivals = deque([time.monotonic()], maxlen=500)
        self._broker_away = False
        self._labels = _labels(frame)
        self.state: State = self._judge()
        self._since = time.time()

    def show(self, frame: Frame) -> bool:
        """Put up a frame for all who watch; tell whether the state or a label has changed."""
        labels, changed = self._labels, self.check(broker_away=False)
        self.frame, self._labels = frame, _labels(frame)
        self.number += 1
        self._arrivals.append(time.monotonic())
        changed |= self._update() or labels != self._labels
        for watcher in self.watchers:
            watcher.show(self)
        return changed

    def check(self, *, broker_away: bool) -> bool:
        """Look at the time, and tell whether the state has changed."""
        self._broker_away = broker_away
        return self._update()

    def watch(self, watcher: Watcher) -> None:
        """Show a watcher all further frames."""
        self._watchers.add(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """Show it no more."""
        self._watchers.discard(watcher)

    def close(self) -> None:
        """End for all who watch."""
        for watcher in self.watchers:
            watcher.close()

    @property
    def name(self) -> str:
        """The name, which frames carry as their key."""
        return self.frame.camera

    @property
    def watchers(self) -> tuple[Watcher, ...]:
        """Who watches now."""
        return tuple(self._watchers)

    @property
    def since(self) -> datetime:
        """When the state began; where no frame comes, when the last one came."""
        return datetime.fromtimestamp(self._since, UTC)

    def status(self) -> CameraStatus:
        """Return what is told of this camera."""
        self._update()
        now = time.monotonic()
        over = _FPS_OVER if self.state not in SILENT else 0
        recent = [at for at in self._arrivals if now - at < over]
        seconds = recent[-1] - recent[0] if len(recent) > 1 else 0
        return {
            "name": self.name,
            "state": self.state,
            "since": self.since.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "fps": round((len(recent) - 1) / seconds, 1) if seconds else 0.0,
            "age_ms": round(1000 * age_of(self.frame.captured)),
            "seq": self.frame.seq,
            "width": self.frame.width,
            "height": self.frame.height,
            "predictions": as_json(self.frame.predictions),
        }

    def _update(self) -> bool:
        state = self._judge()
        if state == self.state:
            return False
        if not (state in SILENT and self.state in SILENT):
            silent = time.monotonic() - self._arrivals[-1] if state in SILENT else 0
            self._since = time.time() - silent
        self.state = state
        return True

    def _judge(self) -> State:
        if time.monotonic() - self._arrivals[-1] > self._limits.no_signal_after:
            return "broker-away" if self._broker_away else "no-signal"
        state: State = "live"
        for prediction in self.frame.predictions:
            if prediction.age_ms is None:
                return "model-away"
            if prediction.age_ms > 1000 * self._limits.stale_after:
                state = "stale"
        return state


def _labels(frame: Frame) -> list[tuple[str, str | None]]:
    return [(each.model, each.results[0].label if each.results else None) for each in frame.predictions]
