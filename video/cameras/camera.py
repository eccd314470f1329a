"""One camera as the video server sees it: its newest frame, its state, and its listeners."""

import math
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice, pairwise
from typing import Any, Final, Literal, Protocol, TypedDict

from pipeline.flow.patience import LONGEST, RECENT, patience, usual_gap
from pipeline.wire.frame import Frame, age_of
from pipeline.wire.predictions import Prediction, as_json
from video.cameras.configured import Configured
from video.cameras.reports import Consumers, Report, why_silent

State = Literal[
    "live", "stale", "model-away", "no-signal", "broker-away", "never-seen", "connecting", "paused"
]
"""The state of a camera.

Either frames arrive, and all is well (`live`), a label is old (`stale`) or a model has no answer
(`model-away`); or no frames arrive (`no-signal`, `paused`, or `broker-away` if they cannot be read from
Kafka); or none has ever arrived (`never-seen`, or `connecting` while the camera is being opened for the first
time).
"""

SILENT: Final = frozenset({"no-signal", "broker-away", "paused"})
"""The states in which the frames of a camera no longer arrive."""

_PRODUCERS_PATIENCE: Final = 5.0  # s until it reports that a camera is silent, by default
_FPS_OVER: Final = 5.0  # s
_FPS_FRAMES: Final = 3  # of a camera that sends fewer than that in the time above


@dataclass(frozen=True, slots=True)
class Limits:
    """Ages, in s, beyond which a camera has no signal, and an answer is stale."""

    no_signal_after: float
    stale_after: float


class CameraStatus(TypedDict):
    """What the API reports about a camera, as JSON.

    Each prediction has `stale` in addition to the fields it has on the wire.
    """

    name: str
    group: str
    state: State
    reason: str | None
    since: str
    fps: float
    age_ms: int | None
    seq: int
    width: int
    height: int
    predictions: list[dict[str, Any]]


class Listed(Protocol):
    """A camera in the list of all cameras, whether it has sent frames or not."""

    name: str
    id: int
    state: State
    configured: Configured | None

    def status(self) -> CameraStatus:
        """Return what the API reports about it."""

    def condition(self) -> tuple[State, str | None]:
        """Return the state, and why if something is wrong: a part of `status` that costs little."""

    def check(self, broker: str | None) -> bool:
        """Update the state; return whether it has changed. `broker`: what is wrong with Kafka, or None."""


class Listener(Protocol):
    """Follows one camera (`Camera.subscribe`) or all of them (`Cameras.subscribe`).

    All methods are called on the event loop, and none may block.
    """

    def frame(self, camera: "Camera") -> None:
        """Take a new frame: `camera.frame`."""

    def changed(self, camera: Listed) -> None:
        """Note that a camera is new, or that its state or one of its labels has changed."""

    def gone(self, name: str) -> None:
        """Note that no more frames of this camera will come; if it comes back, it is a new `Camera`."""


class Camera:
    """Belongs to the event loop. `number` counts the frames, from 1; `id` is unique among today's cameras.

    `report` is its producer's last status record, `configured` what the topic of cameras says about it.
    """

    def __init__(
        self,
        identity: int,
        frame: Frame,
        limits: Limits,
        *,
        report: Report | None = None,
        consumers: Consumers | None = None,
        configured: Configured | None = None,
    ) -> None:
        self.id = identity
        self.name = frame.camera
        self.frame = frame
        self.number = 1
        self.gone = False
        self.report = report
        self.configured = configured
        self._consumers = consumers or Consumers()
        self._silent_after = limits.no_signal_after
        self._stale_ms = 1000 * limits.stale_after
        self._listeners: set[Listener] = set()
        self._arrivals = deque([time.monotonic()], maxlen=500)
        self._broker: str | None = None  # what is wrong with Kafka
        self._labels = _labels(frame)
        self.state: State = self._judge()
        self._since = time.time()

    def show(self, frame: Frame) -> bool:
        """Pass a frame to this camera's listeners; return whether its state or a label has changed."""
        labels, changed = self._labels, self._check(None)
        self.frame, self._labels = frame, _labels(frame)
        self.number += 1
        self._arrivals.append(time.monotonic())
        changed |= self._update() or labels != self._labels
        for listener in self.listeners:
            listener.frame(self)
        if changed:
            self._report_change()
        return changed

    def check(self, broker: str | None) -> bool:
        """Update the state; return whether it has changed. `broker`: what is wrong with Kafka, or None."""
        changed = self._check(broker)
        if changed:
            self._report_change()
        return changed

    def configure(self, configured: Configured | None) -> None:
        """Take a newer record of the topic, or note that there is none any more."""
        self.configured = configured
        if self._check(self._broker):
            self._report_change()

    def subscribe(self, listener: Listener) -> None:
        """Pass all further events of this camera to a listener."""
        self._listeners.add(listener)

    def unsubscribe(self, listener: Listener) -> None:
        """Pass it no more events."""
        self._listeners.discard(listener)

    def close(self) -> None:
        """Report to this camera's listeners that it is gone."""
        self.gone = True
        for listener in self.listeners:
            listener.gone(self.name)

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """The listeners to this camera alone; they may come and go while they are called."""
        return tuple(self._listeners)

    @property
    def since(self) -> datetime:
        """When the state began; for a silent camera, when its last frame arrived."""
        return datetime.fromtimestamp(self._since, UTC)

    def status(self) -> CameraStatus:
        """Return what the API reports about this camera."""
        state, since = self._state_now()
        return {
            "name": self.name,
            "group": self.configured.group if self.configured else "",
            "state": state,
            "reason": self._reason(state),
            "since": timestamp(since),
            "fps": 0.0 if state in SILENT else self._fps(),
            "age_ms": round(1000 * age_of(self.frame.captured)),
            "seq": self.frame.seq,
            "width": self.frame.width,
            "height": self.frame.height,
            "predictions": self._predictions(),
        }

    def condition(self) -> tuple[State, str | None]:
        """Return the state, and why if something is wrong."""
        state, _ = self._state_now()
        return state, self._reason(state)

    def _fps(self) -> float:
        now, reported = time.monotonic(), math.inf
        recent = [at for at in self._arrivals if now - at < _FPS_OVER]
        if len(recent) < _FPS_FRAMES:
            # The last ones may be a burst, such as the first two of a slow camera.
            recent = list(islice(reversed(self._arrivals), _FPS_FRAMES))[::-1]
            if interval := self._interval():
                reported = 1 / interval
        seconds = recent[-1] - recent[0]
        rate = min((len(recent) - 1) / seconds if seconds else math.inf, reported)
        if rate == math.inf:
            return 0.0
        return round(rate, 1 if rate >= 1 else 3)

    def _reason(self, state: State) -> str | None:
        now = time.monotonic()
        missing = partial(self._consumers.missing, now)
        if state == "broker-away":
            return self._broker
        if state == "paused" and self._is_paused():
            return None
        if state == "no-signal" and self.configured is not None and self.configured.trouble:
            return self.configured.trouble
        if state in SILENT:
            return why_silent(self.report, missing, now, still_sends=self._still_sends())
        return self._consumers.trouble(now, about="model ") if state == "model-away" else None

    def _still_sends(self) -> bool:
        """Return whether its producer has reported it as live long after the last frame."""
        if self.report is None:
            return False
        limit = 2 * self._patience(max(self._silent_after, _PRODUCERS_PATIENCE))
        return self.report.last_heard() - self._arrivals[-1] > limit

    def _predictions(self) -> list[dict[str, Any]]:
        predictions = self.frame.predictions
        return [
            {**fields, "stale": self._is_stale(prediction)}
            for prediction, fields in zip(predictions, as_json(predictions), strict=True)
        ]

    def _report_change(self) -> None:
        for listener in self.listeners:
            listener.changed(self)

    def _check(self, broker: str | None) -> bool:
        self._broker = broker
        return self._update()

    def _update(self) -> bool:
        if self._judge() == self.state:
            return False
        self.state, self._since = self._state_now()
        return True

    def _state_now(self) -> tuple[State, float]:
        """Return the state and when it began; listeners do not know it yet if it differs from `state`."""
        state = self._judge()
        if state == self.state:
            return state, self._since
        silent = time.monotonic() - self._arrivals[-1] if state in SILENT else 0
        return state, time.time() - silent

    def _is_silent(self, now: float) -> bool:
        silent = now - self._arrivals[-1]
        if silent <= self._silent_after:
            return False
        if self.report is not None and self.report.denies(now):
            return True
        return silent > self._patience(self._silent_after)

    def _patience(self, least: float) -> float:
        """Return how long the next frame may take, in s."""
        return patience(self._gaps(), least, self._interval())

    def _interval(self) -> float:
        """Return the time between two frames as its producer reports it, in s, or 0."""
        return self.report.interval(time.monotonic()) if self.report else 0.0

    def _gaps(self) -> list[float]:
        last = islice(reversed(self._arrivals), RECENT + 1)
        return [later - earlier for later, earlier in pairwise(last)]

    def _is_paused(self) -> bool:
        return self.configured is not None and self.configured.is_paused

    def _judge(self) -> State:
        now = time.monotonic()
        if self._is_paused() and not self._broker:
            return "paused"
        if self._is_silent(now):
            if self._broker:
                return "broker-away"
            paused = self.report and self.report.counts(now) and self.report.status.state == "paused"
            return "paused" if paused else "no-signal"
        state: State = "live"
        for prediction in self.frame.predictions:
            if prediction.age_ms is None and self._may_have_answer(now):
                return "model-away"
            if self._is_stale(prediction):
                state = "stale"
        return state

    def _may_have_answer(self, now: float) -> bool:
        """Return whether the frame could have one: the first goes on before it is answered."""
        return self.number > 1 or self._consumers.trouble(now, about="model ") is not None

    def _is_stale(self, prediction: Prediction) -> bool:
        age = prediction.age_ms
        if age is None or age <= self._stale_ms:
            return False
        # An answer is as old as the frame before this one at least, because no frame waits for its answer.
        usual = max(self._interval(), min(usual_gap(self._gaps()), LONGEST))
        return age > self._stale_ms + 1000 * usual


def timestamp(seconds: float) -> str:
    """Return a time, in s since the epoch, as the API writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _labels(frame: Frame) -> list[tuple[str, str | None]]:
    return [(each.model, each.results[0].label if each.results else None) for each in frame.predictions]
