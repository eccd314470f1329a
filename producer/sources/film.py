"""A film, at its own speed, again and again."""

import time
from collections.abc import Callable
from typing import Final

from producer.sources.source import Captured, CaptureError, interval_of_pictures
from producer.sources.video import EndError, Video

_LATE: Final = 1.0  # s behind its own time after which a film goes on from where it is
_AHEAD: Final = 0.004  # s before a frame is due, it is decoded; earlier, the caches would be cold again
_LONGEST_REST: Final = 0.1  # s, because a frame may be due earlier than the one before says
_LONGEST: Final = 60.0  # s between two frames; the film is wrong if it says more
_LEAP: Final = 4  # times the interval before, above which a clock that may jump has jumped
_LEAST_LEAP: Final = 1.0  # s


class FilmSource:
    """A film that starts over after its last frame. It is opened again, so another may take its place.

    One with a single frame is a picture, taken at the pace of pictures.

    `open_film` opens the film again, from the beginning. Frames are published every `interval` s.
    """

    def __init__(self, film: Video, open_film: Callable[[], Video], interval: float) -> None:
        self._film = film
        self._open_film = open_film
        self._still_interval = interval_of_pictures(interval)
        self._count = 0  # frames since the film began
        self._is_ahead = False  # whether the film is at the frame to be grabbed next
        self._gap = _LONGEST  # s between the last two frames, as the film says
        self._due = time.monotonic()
        self._at = 0
        self.interval = 0.0

    @property
    def codec(self) -> str:
        """The name of the film's decoder, such as `h264`."""
        return self._film.codec

    def due_in(self) -> float:
        """Return the seconds until the next frame; raise `CaptureError` if there is none."""
        if not self._is_ahead:
            self._rest()
            self.interval = self._advance()
            # After a pause, or if reading takes longer than the film, it does not hurry to catch up.
            self._due = max(self._due + self.interval, time.monotonic() - _LATE)
            self._is_ahead = True
        return max(0.0, self._due - time.monotonic())

    def grab(self) -> None:
        """Take the next frame, whether it is due or not; raise `CaptureError` if there is none."""
        self.due_in()
        self._at = time.time_ns()
        self._is_ahead = False

    def retrieve(self) -> Captured:
        """Return the grabbed frame; raise `PictureError` if it cannot be decoded."""
        return self._film.captured(self._at)

    def close(self) -> None:
        """Close the film."""
        if hasattr(self, "_film"):  # it may be gone, and not have opened again
            self._film.close()

    def _rest(self) -> None:
        """Wait until the next frame is nearly due, while the current one is encoded."""
        left = self._due + self._film.duration - _AHEAD - time.monotonic()
        if self._count and left > 0:
            time.sleep(min(_LONGEST_REST, left))

    def _advance(self) -> float:
        """Go to the next frame; return in s how long the current one is shown."""
        now, duration = self._film.time, self._film.duration
        if self._has_ended():
            return self._start_over()
        self._count += 1
        if self._count == 1:
            return 0.0
        after = self._film.time
        if now is None or after is None or not 0 < after - now <= _LONGEST:
            return duration
        gap, before = after - now, self._gap
        self._gap = gap
        has_jumped = self._film.may_jump and gap > max(_LEAP * before, _LEAST_LEAP)
        return duration if has_jumped else gap

    def _has_ended(self) -> bool:
        """Go to the next frame, or return that there is none."""
        # The error would keep the film as long as it is handled.
        try:
            self._film.read()
        except EndError:
            return True
        return False

    def _start_over(self) -> float:
        if self._count == 0:
            raise CaptureError("it ends before the first frame")
        duration = self._film.duration if self._count > 1 else self._still_interval
        self._film.close()
        del self._film  # with the pictures that its decoder keeps, before another one keeps as many
        self._film = self._open_film()
        self._film.read()
        self._count = 1
        return duration
