"""Whether a video's keyframes are enough, so that the frames between them need not be decoded."""

from collections import deque
from itertools import pairwise
from typing import Final

_SEEN: Final = 3  # keyframes before the rest is skipped
_ABOUT: Final = 1.05  # cameras are not exact
_LONGEST: Final = 10.0  # s between two keyframes; what is skipped in between is kept in memory


class Keyframes:
    """Follows the packets of a video. Its keyframes are enough if they come at least every `interval` s."""

    def __init__(self, interval: float) -> None:
        self._longest = min(_ABOUT * interval, _LONGEST)
        self._times = deque[float](maxlen=_SEEN)

    def enough(self, time: float | None, *, is_keyframe: bool) -> bool:
        """Return whether the keyframes are enough as of the packet at `time` s."""
        if time is None:
            self._times.clear()
            return False
        if is_keyframe:
            self._times.append(time)
        gaps = [later - earlier for earlier, later in pairwise([*self._times, time])]
        if all(0 <= gap <= self._longest for gap in gaps):
            return len(self._times) == _SEEN
        self._times.clear()
        return False
