"""Which cameras a service keeps: a limited number of places, which a flood of invented names cannot take."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

_SILENT: Final = 60.0  # s of silence after which a camera may be replaced by any new one
_SETTLED: Final = 60.0  # s after which most places are no longer contested
_GAPS: Final = 3  # a slow camera may be silent for so many times its last gap
_MOST_COUNTED: Final = 25  # frames of a camera per second
_STRONGER: Final = 1.25  # times as many recent frames as the camera that it replaces
_CONTEST_EVERY: Final = 0.1  # s
_MOST_WAITING: Final = 8192


@dataclass(slots=True)
class _Frames:
    """A camera's frames: when the last one came, the gap before it, and how many came recently.

    `since` is when the camera took its place, if it has one.
    """

    last: float
    gap: float = 0.0
    count: float = 1.0
    since: float = 0.0

    def add(self, now: float, memory: float) -> None:
        self.gap = now - self.last
        self.count = self.recent(now, memory) + min(1.0, self.gap * _MOST_COUNTED)
        self.last = now

    def recent(self, now: float, memory: float) -> float:
        return self.count * math.exp((self.last - now) / memory)

    def silent(self, now: float) -> bool:
        return now - self.last >= max(_SILENT, _GAPS * self.gap)


class Places:
    """Holds a place for each of at most `most` cameras; times are in s of a clock that only goes forward.

    A configured camera keeps its place however long it is silent, a place is kept free for each that has none
    yet, and it takes that of the newest other camera if none is free. Any other loses its place after `ttl` s
    of silence. When no place is free, the camera that has been silent longest, for at least a minute and
    three times its last gap, makes room for a new one.

    If no camera is silent, as in a flood of invented names, the half of the places that has been held longest
    stays as it is, and so do those of the next quarter that have been held for a minute. The others go to
    those that send most, ten in a second at most: a new camera waits until it has sent more in the last
    seconds than one of them: a frame counts for a third after `memory` s. Each camera that loses its place is
    handed to `left`.
    """

    def __init__(self, most: int, ttl: float, left: Callable[[str], None], memory: float = 5.0) -> None:
        self.most = most
        self._ttl = ttl
        self._memory = memory
        self._left = left
        self._held: dict[str, _Frames] = {}  # those that have held their places longest first
        self._waiting: dict[str, _Frames] = {}
        self._contest_at = 0.0
        self._is_open = False  # whether a place may change hands
        self._least = 0.0  # recent frames of a camera that may take it
        self._configured: frozenset[str] = frozenset()
        self._kept_free: tuple[frozenset[str], int] = (self._configured, 0)

    def configure(self, cameras: Iterable[str]) -> None:
        """Replace the set of configured cameras; may be called from any thread."""
        self._configured = frozenset(cameras)

    def __contains__(self, camera: str) -> bool:
        """Return whether a camera has a place, or is configured to have one."""
        return camera in self._held or camera in self._configured

    def hear(self, camera: str, now: float) -> bool:
        """Note that a frame arrived; return False when the camera has no place."""
        frames = self._held.get(camera)
        if frames is None:
            return False
        frames.add(now, self._memory)
        return True

    def take(self, camera: str, now: float) -> bool:
        """Give a new camera, of which a frame has arrived, a place; return False when there is none."""
        if camera in self._configured:
            return self._take_configured(camera, now)
        if len(self._held) + self._free_for_configured() < self.most:
            self._hold(camera, now)
            return True
        frames = self._wait(camera, now)
        if frames is None or not self._is_open or frames.recent(now, self._memory) < self._least:
            return False
        self._is_open = False
        loser = self._loser(frames.recent(now, self._memory), now)
        if loser is None:
            return False
        self.leave(loser)
        self._hold(camera, now)
        return True

    def leave(self, camera: str) -> None:
        """Take away a camera's place, if it has one."""
        if self._held.pop(camera, None) is not None:
            self._kept_free = (frozenset(), 0)
            self._left(camera)

    def may_leave(self, camera: str, now: float) -> bool:
        """Return whether a camera may be removed to make room: it is silent, or new."""
        frames = self._held.get(camera)
        if frames is None or camera in self._configured:
            return False
        return frames.silent(now) or now - frames.since < _SETTLED

    def expire(self, now: float) -> None:
        """Take away the places of cameras that are silent for too long, or that configured ones need."""
        for camera, frames in list(self._replaceable(self._held)):
            if now - frames.last >= self._ttl:
                self.leave(camera)
        while len(self._held) + self._free_for_configured() > self.most and self._leave_newest():
            pass

    def _take_configured(self, camera: str, now: float) -> bool:
        if len(self._held) >= self.most and not self._leave_newest():
            return False
        self._hold(camera, now)
        return True

    def _leave_newest(self) -> bool:
        """Let the camera go that has come last and is not configured; return False if all are."""
        newest = next((name for name in reversed(self._held) if name not in self._configured), None)
        if newest is not None:
            self.leave(newest)
        return newest is not None

    def _free_for_configured(self) -> int:
        """Return how many configured cameras have no place yet."""
        configured = self._configured
        if self._kept_free[0] is not configured:
            self._kept_free = configured, len(configured - self._held.keys())
        return self._kept_free[1]

    def _hold(self, camera: str, now: float) -> None:
        self._kept_free = (frozenset(), 0)
        frames = self._held[camera] = self._waiting.pop(camera, _Frames(now))
        frames.since = now

    def _wait(self, camera: str, now: float) -> _Frames | None:
        """Note a frame of a camera without a place; return None if too many others wait."""
        if (frames := self._waiting.get(camera)) is not None:
            frames.add(now, self._memory)
        elif len(self._waiting) < _MOST_WAITING:
            frames = self._waiting[camera] = _Frames(now)
        if now >= self._contest_at:
            self._contest_at = now + _CONTEST_EVERY
            self._waiting = {
                name: each for name, each in self._waiting.items() if now - each.last < self._memory
            }
            # Not only the strongest, which may never send again.
            self._least = (
                max((each.recent(now, self._memory) for each in self._waiting.values()), default=0.0)
                / _STRONGER
            )
            self._is_open = True
        return frames

    def _loser(self, recent: float, now: float) -> str | None:
        """Return which camera gives its place to one with so many recent frames, if any does."""
        silent = [(frames.last, name) for name, frames in self._replaceable(self._held) if frames.silent(now)]
        if silent:
            return min(silent)[1]
        weakest = min(
            (
                (frames.recent(now, self._memory), name)
                for name, frames in self._replaceable(self._contested(now))
            ),
            default=(math.inf, ""),
        )
        return weakest[1] if _STRONGER * weakest[0] < recent and recent > 1 else None

    def _contested(self, now: float) -> list[str]:
        """Return the cameras that have held their places for the shortest time."""
        if self.most < 2:
            return []
        half, quarter = self.most // 2, max(1, self.most // 4)
        later = list(self._held)[-half:]
        young = [name for name in later[:-quarter] if now - self._held[name].since < _SETTLED]
        return young + later[-quarter:]

    def _replaceable(self, cameras: Iterable[str]) -> Iterator[tuple[str, _Frames]]:
        return ((name, self._held[name]) for name in cameras if name not in self._configured)
