"""Which cameras a service keeps: a limited number of places, given up by cameras that fall silent."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Final

_SILENT: Final = 60.0  # s of silence after which a camera may be replaced by a new one


class Places:
    """Holds a place for each of at most `most` cameras; times are in s of a clock that only goes forward.

    A configured camera keeps its place however long it is silent. Any other loses it after `ttl` s of
    silence; and when no place is free, the one that has been silent longest, for at least a minute, makes
    room for a new camera. Each camera that loses its place is handed to `left`.
    """

    def __init__(self, most: int, ttl: float, left: Callable[[str], None]) -> None:
        self._most = most
        self._ttl = ttl
        self._left = left
        self._heard: OrderedDict[str, float] = OrderedDict()  # the longest silence first
        self._configured: frozenset[str] = frozenset()

    def configure(self, cameras: Iterable[str]) -> None:
        """Replace the set of configured cameras; may be called from any thread."""
        self._configured = frozenset(cameras)

    def hear(self, camera: str, now: float) -> bool:
        """Note that a frame arrived; return False when the camera has no place."""
        if camera not in self._heard:
            return False
        self._heard[camera] = now
        self._heard.move_to_end(camera)
        return True

    def take(self, camera: str, now: float) -> bool:
        """Give a new camera a place; return False when there is none."""
        if len(self._heard) >= self._most:
            silent = next(self._silent(_SILENT, now), None)
            if silent is None:
                return False
            self.leave(silent)
        self._heard[camera] = now
        return True

    def leave(self, camera: str) -> None:
        """Take away a camera's place, if it has one."""
        if self._heard.pop(camera, None) is not None:
            self._left(camera)

    def expire(self, now: float) -> None:
        """Take away the places of the cameras that have been silent for too long."""
        for camera in list(self._silent(self._ttl, now)):
            self.leave(camera)

    def _silent(self, least: float, now: float) -> Iterator[str]:
        for camera, heard in self._heard.items():
            if now - heard < least:
                return
            if camera not in self._configured:
                yield camera
