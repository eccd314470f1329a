"""Whether a live video comes faster than it can be decoded."""

import time
from typing import Final

_WAITED: Final = 0.002  # s; less is not waiting
_BUSY: Final = 1.0  # s without waiting for the camera
_LATE: Final = 0.5  # s


class Backlog:
    """Compares the frames' own times with the time at which they are read."""

    def __init__(self) -> None:
        # Now minus the frame's own time, when no other frame was waiting to be read.
        self._live: float | None = None
        self._since = time.monotonic()

    def is_late(self, frame: float, waited: float) -> bool:
        """Return whether the frame at `frame` s, which was waited for `waited` s, has been waiting itself.

        A camera's first frames, and those after a pause of the network, come at once: these are no backlog.
        """
        now = time.monotonic()
        if waited > _WAITED or self._live is None:
            self._live, self._since = now - frame, now
        return now - self._since > _BUSY and now - frame - self._live > _LATE
