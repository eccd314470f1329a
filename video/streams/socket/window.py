"""How many pictures may be in flight to one browser.

A picture is in flight from when it is sent until the browser acknowledges it. The more pictures are in
flight, the older they are when they arrive. Their number grows while acknowledgements come quickly; when one
comes late, it shrinks to the number that would have been in time.
"""

from typing import Final

_PER_CAMERA: Final = 2
_AT_FIRST: Final = 2.0
_QUICK: Final = 0.15  # s above the shortest delay: there is room for more
_LATE: Final = 0.3  # s above the shortest delay: there are too many
_LOST: Final = 10.0  # s
_SLOWNESS: Final = 8  # pictures after which a connection that has become slower is accepted as slower

_Picture = tuple[int, float, int]  # number, when it was sent, how many were in flight then


class Window:
    """The pictures in flight to one browser, at most `limit`.

    All times are in s of the same clock; cameras are identified by their ids.
    """

    def __init__(self) -> None:
        self._in_flight: dict[int, list[_Picture]] = {}  # per camera, in the order in which they were sent
        self._count = 0
        self._most = self.limit = 1
        self._limit = _AT_FIRST
        self._steep = True  # until an acknowledgement is late for the first time
        self._filled = float("-inf")  # when the window was last full
        self._least = float("inf")

    def watching(self, cameras: int) -> None:
        """Set how many cameras are watched."""
        self._most = max(1, _PER_CAMERA * cameras)
        self._set(self._limit)

    def is_open(self) -> bool:
        """Return whether one more picture may be sent."""
        return self._count < self.limit

    def takes(self, camera: int) -> bool:
        """Return whether it may be one of this camera."""
        return len(self._in_flight.get(camera, ())) < _PER_CAMERA

    def sent(self, camera: int, number: int, now: float) -> None:
        """Note that a picture was sent."""
        self._count += 1
        self._in_flight.setdefault(camera, []).append((number, now, self._count))
        if self._count >= self.limit:
            self._filled = now

    def acked(self, camera: int, number: int, now: float) -> None:
        """Note an acknowledgement of a picture, which includes the camera's pictures sent before it.

        An acknowledgement of a picture that is not in flight changes nothing.
        """
        in_flight = self._in_flight.get(camera, [])
        for index, (each, sent, place) in enumerate(in_flight):
            if each == number:
                self._count -= index + 1
                del in_flight[: index + 1]
                if not in_flight:
                    del self._in_flight[camera]
                self._learn(now - sent, place, was_full=sent <= self._filled)
                return

    def forget(self, camera: int) -> None:
        """Expect no more acknowledgements of a camera's pictures."""
        self._count -= len(self._in_flight.pop(camera, ()))

    def expired(self, now: float) -> bool:
        """Return whether a picture has been unacknowledged for so long that the browser must be gone."""
        return any(now - pictures[0][1] > _LOST for pictures in self._in_flight.values())

    def _learn(self, delay: float, place: int, *, was_full: bool) -> None:
        if delay < self._least:
            self._least = delay
        elif place == 1:  # it did not wait behind another of ours: the connection itself has become slower
            self._least += (delay - self._least) / _SLOWNESS
        late = delay - self._least
        if late > _LATE:
            # `place` pictures took `delay`; this many take as long as is acceptable.
            allowed = place * (self._least + _LATE) / delay
            self._steep = False
            self._set(max(1.0, min(self._limit, allowed)))
        elif late < _QUICK and was_full:
            more = 1.0 if self._steep else 1 / self._limit
            self._set(min(self._limit + more, self._most))

    def _set(self, limit: float) -> None:
        self._limit = limit
        self.limit = min(int(limit), self._most)
