"""How many pictures may be on their way to one browser.

A picture is on its way from its sending until the browser acknowledges it. The more of them a line holds, the
older they arrive: their number grows while acknowledgements come quickly, and when one comes late it shrinks
to what would have been in time.
"""

from typing import Final

_PER_CAMERA: Final = 2
_AT_FIRST: Final = 2.0
_QUICK: Final = 0.15  # s over the least delay: room for more
_LATE: Final = 0.3  # s over the least delay: too many
_LOST: Final = 10.0  # s
_SLOWNESS: Final = 8  # pictures until a line that got slower for good is taken for what it is

_Picture = tuple[int, float, int]  # number, when it was sent, how many were then on their way


class Window:
    """What is on its way to one browser, of `limit` pictures at most.

    All times are in s of one clock; cameras are named by their ids.
    """

    def __init__(self) -> None:
        self._away: dict[int, list[_Picture]] = {}  # per camera, in the order of sending
        self._count = 0
        self._most = self.limit = 1
        self._limit = _AT_FIRST
        self._steep = True  # until an acknowledgement is late for the first time
        self._filled = float("-inf")  # when that last was so
        self._least = float("inf")

    def watching(self, cameras: int) -> None:
        """Note how many cameras are watched."""
        self._most = max(1, _PER_CAMERA * cameras)
        self._set(self._limit)

    def is_open(self) -> bool:
        """Tell whether one more picture may be sent."""
        return self._count < self.limit

    def takes(self, camera: int) -> bool:
        """Tell whether it may be one of this camera."""
        return len(self._away.get(camera, ())) < _PER_CAMERA

    def sent(self, camera: int, number: int, now: float) -> None:
        """Note a picture that was sent."""
        self._count += 1
        self._away.setdefault(camera, []).append((number, now, self._count))
        if self._count >= self.limit:
            self._filled = now

    def acked(self, camera: int, number: int, now: float) -> None:
        """Note an acknowledgement: of that picture and those of the camera that were sent before it.

        One for what is not on its way changes nothing.
        """
        away = self._away.get(camera, [])
        for index, (each, sent, place) in enumerate(away):
            if each == number:
                self._count -= index + 1
                del away[: index + 1]
                if not away:
                    del self._away[camera]
                self._learn(now - sent, place, was_full=sent <= self._filled)
                return

    def expired(self, now: float) -> bool:
        """Tell whether a picture is unacknowledged for so long that nobody can be there any more."""
        return any(now - away[0][1] > _LOST for away in self._away.values())

    def _learn(self, delay: float, place: int, *, was_full: bool) -> None:
        if delay < self._least:
            self._least = delay
        elif place == 1:  # it waited for none of ours: the line itself has become slower
            self._least += (delay - self._least) / _SLOWNESS
        late = delay - self._least
        if late > _LATE:
            # So many took so long: the delay that is wanted allows so many.
            allowed = place * (self._least + _LATE) / delay
            self._steep = False
            self._set(max(1.0, min(self._limit, allowed)))
        elif late < _QUICK and was_full:
            more = 1.0 if self._steep else 1 / self._limit
            self._set(min(self._limit + more, self._most))

    def _set(self, limit: float) -> None:
        self._limit = limit
        self.limit = min(int(limit), self._most)
