"""Cameras whose frames take long to label: they must not take the time of the others."""

from dataclasses import dataclass
from typing import Final

LONGEST: Final = 0.1
"""The longest processor time in s in which a frame is labelled, while there are other cameras."""

_REST: Final = 3  # times as long as such a frame took
_SLOW_FOR: Final = 60.0  # s after such a frame
_GONE: Final = 5.0  # s after a camera's last frame


@dataclass(slots=True)
class _Camera:
    """When a camera's last frame was labelled, and until when the camera counts as slow."""

    last: float
    slow_until: float = 0.0


class SlowCameras:
    """Decides whose frame may be labelled; times are in s of a clock that only goes forward.

    While there are cameras with quick frames, all slow ones together get a quarter of the time. A new camera
    counts as slow until its first frame has been labelled. Configured cameras come before others, which may
    be invented names.
    """

    def __init__(self) -> None:
        self._cameras: dict[str, _Camera] = {}
        self._rest_until = 0.0
        self._reserved_until = 0.0

    def may(self, camera: str, now: float, *, is_configured: bool = False) -> bool:
        """Return whether a camera's frame may be labelled now."""
        known = self._cameras.get(camera)
        if known is not None and now >= known.slow_until:
            return True
        if now >= (self._rest_until if is_configured else max(self._rest_until, self._reserved_until)):
            return True
        if is_configured:  # one of its next frames is labelled before those of others
            self._reserved_until = now + _GONE
        return False

    def took(self, camera: str, seconds: float, now: float) -> None:
        """Note how much processor time a camera's frame has taken."""
        known = self._cameras.setdefault(camera, _Camera(now))
        known.last = now
        if seconds > LONGEST:
            known.slow_until = now + _SLOW_FOR
            if any(now >= each.slow_until and now - each.last < _GONE for each in self._cameras.values()):
                self._rest_until = now + _REST * seconds

    def forget(self, camera: str) -> None:
        """Forget a camera."""
        self._cameras.pop(camera, None)
