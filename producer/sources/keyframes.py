"""Which frames need no other ones, so that the frames between them need not be decoded."""

from collections import deque
from typing import Final

import av

_SEEN: Final = 3  # keyframes


class Keyframes:
    """Follows the packets of a video, and decides whether its keyframes are enough.

    They are if they come at least every `interval` s, the time between two published frames. `always` is for videos
    that have nothing but keyframes.
    """

    def __init__(self, interval: float, *, always: bool) -> None:
        self._interval = interval
        self._always = always
        self._times = deque[float](maxlen=_SEEN)
        self._enough = False

    def alone(self, packet: av.Packet) -> bool:  # type: ignore[type-arg]
        """Return whether only keyframes are needed, as of this packet. It changes at keyframes only."""
        if packet.is_keyframe and not self._always:
            self._follow(packet)
        return self._always or self._enough

    def _follow(self, packet: av.Packet) -> None:  # type: ignore[type-arg]
        if packet.pts is None or packet.time_base is None:
            self._times.clear()
        else:
            self._times.append(float(packet.pts * packet.time_base))
        gaps = [later - earlier for earlier, later in zip(self._times, list(self._times)[1:], strict=False)]
        self._enough = len(gaps) == _SEEN - 1 and all(0 < gap <= self._interval for gap in gaps)
