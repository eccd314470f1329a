"""The memory for the newest frames of all cameras."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_SILENT: Final = 60.0  # s of silence after which a camera's frame makes room
_LARGER: Final = 2  # times as large as a frame for which it makes room
_LOOK_EVERY: Final = 0.1  # s


@dataclass(slots=True)
class _Held:
    """A camera's newest frame: its bytes, and when it came."""

    size: int
    came: float


class Room:
    """Bounds the bytes that the newest frames of all cameras take; times are in s, and only go forward.

    A frame of up to `most` / `cameras` bytes always has room, so that large frames cost no other camera its
    own. All together they may therefore take twice `most`.

    Where there is no room for a larger one, cameras that have been silent for a minute make room, and then
    one whose frame is at least twice as large; but only those that `may_leave`, at this time. Each is handed
    to `leave`, which must drop its frame and call the method `leave`.
    """

    def __init__(
        self, most: int, cameras: int, leave: Callable[[str], None], may_leave: Callable[[str, float], bool]
    ) -> None:
        self._most = most
        self._share = most // cameras
        self._leave = leave
        self._may_leave = may_leave
        self._held: dict[str, _Held] = {}
        self._taken = 0
        self._look_at = 0.0

    def take(self, camera: str, size: int, now: float) -> bool:
        """Replace a camera's frame; return False, and keep the old one, if there is no room for it."""
        if size > self._share and not self._fits(camera, size):
            if now >= self._look_at:
                self._look_at = now + _LOOK_EVERY
                self._make_room(camera, size, now)
            if not self._fits(camera, size):
                return False
        held = self._held.setdefault(camera, _Held(0, now))
        self._taken += size - held.size
        held.size, held.came = size, now
        return True

    def leave(self, camera: str) -> None:
        """Forget a camera's frame."""
        if held := self._held.pop(camera, None):
            self._taken -= held.size

    def _fits(self, camera: str, size: int) -> bool:
        own = self._held[camera].size if camera in self._held else 0
        return self._taken - own + size <= self._most

    def _make_room(self, camera: str, size: int, now: float) -> None:
        others = [
            (name, held)
            for name, held in self._held.items()
            if name != camera and held.size > self._share and self._may_leave(name, now)
        ]
        for name, held in sorted(others, key=lambda each: each[1].came):
            if now - held.came < _SILENT or self._fits(camera, size):
                break
            self._leave(name)
        name, held = max(others, key=lambda each: each[1].size, default=("", _Held(0, now)))
        if (
            not self._fits(camera, size)
            and held.size >= _LARGER * size
            and self._fits(camera, size - held.size)
        ):
            self._leave(name)
