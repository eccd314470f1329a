"""What the topic of cameras says about labelling: which models ask about a camera, and how soon."""

import logging
import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.cameras.record import CameraRecord
from pipeline.cameras.topic import CameraTopic, Change
from pipeline.service.workers import Pulse

log = logging.getLogger(__name__)

_CONFIGURE_EVERY: Final = 0.2  # s; at the start, thousands of records may come at once


@dataclass(frozen=True, slots=True)
class Plan:
    """How to label a camera: by these models, or all if None.

    A frame older than `deadline` s is not offered to them. `weight` is the camera's share of their time,
    relative to others.
    """

    models: frozenset[str] | None = None
    deadline: float = math.inf
    weight: float = 1.0


class Plans:
    """The plans of the cameras in the topic; all methods but `set` and `remove` are for any thread."""

    def __init__(self, models: Collection[str]) -> None:
        """`models` are the names of those in `MODELURLS`."""
        self._models = frozenset(models)
        self._plans: dict[str, Plan] = {}
        self._unknown: dict[str, list[str]] = {}  # models that a camera's record names, but do not exist

    def get(self, camera: str) -> Plan | None:
        """Return a camera's plan, or None for a camera that is not in the topic."""
        return self._plans.get(camera)

    def weight(self, camera: str) -> float:
        """Return a camera's share of a model's time, relative to others."""
        plan = self._plans.get(camera)
        return 1.0 if plan is None else plan.weight

    def set(self, camera: str, record: CameraRecord | None) -> None:
        """Follow a camera's record; without one that can be used, all models ask about the camera."""
        self._unknown.pop(camera, None)
        if record is None:
            self._plans[camera] = Plan()
            return
        models = None if record.models is None else frozenset(record.models)
        if models is not None and (unknown := sorted(models - self._models)):
            self._unknown[camera] = unknown
            log.warning("%s", self._explain(camera, unknown))
        if record.is_preview:
            models = frozenset[str]()
        self._plans[camera] = Plan(
            models, math.inf if record.deadline is None else record.deadline, record.weight
        )

    def remove(self, camera: str) -> None:
        """Forget a camera's plan."""
        self._plans.pop(camera, None)
        self._unknown.pop(camera, None)

    def trouble(self) -> str | None:
        """Return which camera's record names unknown models, in one line, or None."""
        for camera, unknown in self._unknown.copy().items():
            others = len(self._unknown) - 1
            more = f" (and {others} more cameras)" if others > 0 else ""
            return self._explain(camera, unknown) + more
        return None

    def _explain(self, camera: str, unknown: Iterable[str]) -> str:
        known = ", ".join(sorted(self._models)) or "none"
        found = ", ".join(unknown)
        return f"camera {camera}: expected models of MODELURLS ({known}), found {found} in its record"


class Cameras:
    """Follows the topic: cameras in it keep their places, and removed ones are forgotten at once."""

    def __init__(
        self,
        plans: Plans,
        *,
        configure: Callable[[Iterable[str]], object],
        forget: Callable[[str], object],
    ) -> None:
        self._plans = plans
        self._configure = configure
        self._forget = forget
        self._changed = True
        self._configure_at = 0.0

    def take(self, camera: str, change: Change) -> None:
        """Follow a change of the topic."""
        self._changed = True
        if change is not None:
            self._plans.set(camera, change if isinstance(change, CameraRecord) else None)
            return
        self._plans.remove(camera)
        self._forget(camera)

    def step(self, cameras: Mapping[str, object]) -> None:
        """Let the cameras of the topic keep their places, if they have changed."""
        now = time.monotonic()
        if self._changed and now >= self._configure_at:
            self._changed = False
            self._configure_at = now + _CONFIGURE_EVERY
            self._configure(cameras)

    def run(self, topic: CameraTopic, pulse: Pulse) -> None:
        """Follow the topic until the service stops: a worker."""
        while not pulse.stopping.is_set():
            topic.step()
            if topic.is_read:
                self.step(topic.cameras)
            pulse.beat()
