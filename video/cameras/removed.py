"""The cameras that were removed a moment ago: frames and reports that are still on their way do not count."""

from typing import Final

from pipeline.cameras.topic import MOST_CAMERAS

_KEPT: Final = 30.0  # s; a producer notices a removal within one, and reports every ten


class Removed:
    """Their names; times are in s of a clock that only goes forward."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}  # the newest last

    def add(self, name: str, now: float) -> None:
        """Note that a camera was removed."""
        self._until.pop(name, None)
        self._until[name] = now + _KEPT
        while len(self._until) > MOST_CAMERAS or next(iter(self._until.values())) <= now:
            del self._until[next(iter(self._until))]

    def discard(self, name: str) -> None:
        """Note that a camera is there again."""
        self._until.pop(name, None)

    def has(self, name: str, now: float) -> bool:
        """Return whether a camera was removed, so recently that something of it may still come."""
        return now < self._until.get(name, 0.0)
