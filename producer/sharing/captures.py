"""The captures of one producer: a camera that comes, goes or changes costs the others nothing."""

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Protocol

from prometheus_client import Gauge, Histogram

from pipeline.kafka.reporter import Condition
from pipeline.service.service import WorkerGroup
from pipeline.wire.status import State
from producer.capture import How

log = logging.getLogger(__name__)

Wish = How | Condition
"""How to capture a camera, or what to report about one that is not captured."""

_OPENING: Final[Condition] = ("connecting", "not open yet")
_FAILED: Final[Condition] = ("no-signal", "its capture failed too often: see the log")
_AGAIN: Final = 60.0  # s after which such a camera is tried again
_SECONDS: Final = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 60)

CAPTURED = Gauge("streamlens_cameras_captured", "Cameras in this producer's share, also paused ones")
GAP = Histogram(
    "streamlens_camera_gap_seconds",
    "Time without frames of a camera that moved to this producer, until its first frame",
    buckets=_SECONDS,
)
OVERLAP = Histogram(
    "streamlens_camera_overlap_seconds",
    "Time in which this producer captured a camera that had been given to another one",
    buckets=_SECONDS,
)


class Captured(Protocol):
    """What is there of a camera that is captured: a `producer.capture.Capture`."""

    def mute(self) -> None:
        """Publish no more frames from now on."""

    def unmute(self) -> None:
        """Publish frames again."""

    def condition(self) -> Condition:
        """Return the camera's state."""

    def interval(self) -> float:
        """Return the usual time in s between two frames."""


Make = Callable[[str, How, WorkerGroup, Iterator[int]], Captured]
NewGroup = Callable[[str, Callable[[], None]], WorkerGroup]


class Place:
    """One camera: what is wanted of it, and what is there."""

    def __init__(self, name: str, make: Make, new_group: NewGroup, numbers: Iterator[int]) -> None:
        self.name = name
        self.numbers = numbers
        self.since: float | None = None  # when it was last captured elsewhere, s of the monotonic clock
        self._make = make
        self._new_group = new_group
        self._lock = threading.Lock()
        self._wish: Wish | None = None
        self._has: Wish | None = None
        self._capture: Captured | None = None
        self._group: WorkerGroup | None = None
        self._failed_until = 0.0
        self._is_changing = False

    @property
    def is_over(self) -> bool:
        """Whether nothing is wanted of the camera, and nothing is left of it."""
        return self._wish is None and not self._is_changing

    def want(self, wish: Wish | None) -> None:
        """Change to what is wanted, without waiting for it; None to let the camera go."""
        with self._lock:
            self._wish = wish
            if self._is_changing:
                return
            if self._target() == self._has:
                if self._capture is not None:
                    self._capture.unmute()
                return
            self._is_changing = True
        self.mute()
        threading.Thread(target=self._change, name=f"change {self.name}", daemon=True).start()

    def mute(self) -> None:
        """Publish no more frames of the present capture, unless it is wanted again."""
        if capture := self._capture:
            capture.mute()

    def condition(self) -> Condition:
        """Return the camera's state, and the reason for it."""
        wish, capture = self._wish, self._capture
        if wish is not None and not isinstance(wish, How):
            return wish
        if self._has_failed():
            return _FAILED
        return _OPENING if capture is None else capture.condition()

    def interval(self) -> float:
        """Return the usual time in s between two frames; 0 if it is not captured."""
        return 0.0 if (capture := self._capture) is None else capture.interval()

    def note_first_frame(self) -> None:
        """Note how long the camera was without frames, once it has one."""
        if self.since is not None and self.condition()[0] == "live":
            GAP.observe(max(0.0, time.monotonic() - self.since))
            self.since = None

    def _change(self) -> None:
        """Make what is wanted, in a thread: what belongs to a camera may hang."""
        while True:
            with self._lock:
                wish = self._target()
                if wish == self._has:
                    self._is_changing = False
                    return
            try:
                self._end()
                if isinstance(wish, How):
                    self._begin(wish)
            except Exception:
                log.exception("camera %s cannot be captured", self.name)
                self._fail()
            with self._lock:
                self._has = wish

    def _begin(self, how: How) -> None:
        self._group = self._new_group(self.name, self._fail)
        self._capture = self._make(self.name, how, self._group, self.numbers)

    def _end(self) -> None:
        self.mute()
        self._capture = None
        if group := self._group:
            self._group = None
            group.release()

    def _fail(self) -> None:
        self._failed_until = time.monotonic() + _AGAIN

    def _has_failed(self) -> bool:
        return time.monotonic() < self._failed_until

    def _target(self) -> Wish | None:
        """Return what there should be now."""
        return None if self._has_failed() else self._wish


class Captures:
    """The cameras of a producer's share. All methods but `lines` and `states` are for one thread; none waits.

    `added` and `removed` are called with a camera that comes and goes; the latter also with whether another
    producer has it. `alone_since` and `given_away` are those of `Shares`.
    """

    def __init__(
        self,
        make: Make,
        new_group: NewGroup,
        added: Callable[[Place], object],
        removed: Callable[[Place, bool], object],
        *,
        alone_since: Callable[[str], float | None] = lambda _: None,
        given_away: Callable[[str], float | None] = lambda _: None,
    ) -> None:
        self._make = make
        self._new_group = new_group
        self._added = added
        self._removed = removed
        self._alone_since = alone_since
        self._given_away = given_away
        self._places: dict[str, Place] = {}
        self._leaving: dict[str, Place] = {}
        self._numbers: dict[str, Iterator[int]] = {}  # they go on if a camera comes back to this run
        self._first = 0  # number of a camera that is new to this run

    def follow(self, wishes: Mapping[str, Wish]) -> None:
        """Capture these cameras as they say, and no others."""
        for name in self._places.keys() - wishes.keys():
            self._let_go(name)
        for name, wish in wishes.items():
            place = self._places.get(name) or self._new(name)
            place.want(wish)
            place.note_first_frame()
        for name, place in self._leaving.copy().items():
            if place.is_over:
                del self._leaving[name]
        CAPTURED.set(len(self._places))

    def numbered(self) -> set[str]:
        """Return the cameras whose frames this run has numbered."""
        return set(self._numbers)

    def forget(self, name: str) -> bool:
        """Forget the numbers of a camera that was removed; return False if it is still leaving.

        If one of that name comes again, its frames get higher numbers.
        """
        if name in self._places or name in self._leaving:
            return False
        if numbers := self._numbers.pop(name, None):
            self._first = max(self._first, next(numbers))
        return True

    def mute(self) -> None:
        """Publish no more frames, until `follow` says which cameras are still wanted."""
        for place in self._places.values():
            place.mute()

    def lines(self) -> list[str]:
        """Return a line for each camera that is not live, for `/readyz`; from any thread."""
        found = ((name, *place.condition()) for name, place in sorted(self._places.copy().items()))
        return [f"camera {name}: {reason or state}" for name, state, reason in found if state != "live"]

    def states(self) -> dict[str, State]:
        """Return the state of each camera; from any thread."""
        return {name: place.condition()[0] for name, place in self._places.copy().items()}

    def _new(self, name: str) -> Place:
        # One that is still leaving ends first: a frame of it must not come after the first new one.
        place = self._leaving.pop(name, None)
        if place is None:
            numbers = self._numbers.setdefault(name, itertools.count(self._first))
            place = Place(name, self._make, self._new_group, numbers)
        place.since = self._alone_since(name)
        self._places[name] = place
        self._added(place)
        return place

    def _let_go(self, name: str) -> None:
        place = self._leaving[name] = self._places.pop(name)
        place.want(None)
        age = self._given_away(name)
        if age is not None:
            OVERLAP.observe(age)
        self._removed(place, age is not None)
