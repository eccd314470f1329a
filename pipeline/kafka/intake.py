"""What becomes of a topic's messages: frames of a limited number of cameras, and nothing else."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import cache, partial
from typing import Final, NamedTuple, cast

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE
from confluent_kafka import Message as Received
from prometheus_client import Counter

from pipeline.flow.ledger import Ledger
from pipeline.flow.places import Places
from pipeline.flow.room import Room
from pipeline.kafka.offenders import Offenders
from pipeline.service.logs import Seldom
from pipeline.service.recorder import working
from pipeline.wire import jpeg, largest
from pipeline.wire.frame import LONGEST_KEY, UNNAMED, Frame, FrameError, decode

log = logging.getLogger(__name__)

_POISON = Counter("streamlens_poison_messages", "Messages that are not frames", ["kind"])
_poison = cache(_POISON.labels)
_CORRECTED = Counter("streamlens_frames_corrected", "Frames of which a part was wrong", ["kind"])

MOST_AHEAD: Final = 10.0
"""The longest time in s by which a frame may be captured later than now, by this machine's clock."""

MOST_BEHIND: Final = 300.0
"""The longest time in s by which it may be captured earlier. Beyond both, one of the clocks is wrong."""

_EXPIRE_EVERY: Final = 1.0  # s
_OUTDATED: Final = 2.0  # s in which older frames are dropped; if no newer one comes, a clock was set back
_MOST_LINES: Final = 100  # per minute, about cameras that come and go
_NOTABLE: Final = 1_000_000  # bytes
_UNNOTED: Final = nullcontext()


class Intake:
    """Hands frames to `sink`; a message that is not a frame is counted, logged and skipped.

    Of many under one key, most are only counted, unless they may be frames of a camera that has a place.

    If only a frame's predictions or the time of its capture are wrong, they are left out or replaced by the
    present time. A frame that is older than the camera's last one is dropped: for a moment, two members of a
    group may have passed on the same frames.

    `on_forget` is called with the name of each camera that loses its place (`Places`), after the ledger has
    forgotten it. All methods are for the reader's thread, except `configure` and `forget`.
    """

    def __init__(
        self,
        sink: Callable[[str, Frame], object],
        ledger: Ledger,
        most_cameras: int,
        camera_ttl: float,
        on_forget: Callable[[str], None] | None,
        *,
        most_pixels: int,
    ) -> None:
        self.has_frames = False
        """Whether a frame has come."""
        self._sink = sink
        self._ledger = ledger
        self._most_cameras = most_cameras
        self._most_pixels = most_pixels
        self._places = Places(most_cameras, camera_ttl, self._left)
        self._room = Room(
            largest.frames_bytes(most_pixels), most_cameras, self._places.leave, self._places.may_leave
        )
        self._on_forget = on_forget
        self._to_forget: deque[str] = deque()
        self._expire_at = 0.0
        # When each camera's last frame was captured, and came.
        self._newest: dict[str, tuple[int, float]] = {}
        self._offenders = Offenders()
        self._seldom = Seldom(log)
        self._coming_and_going = Seldom(log, _MOST_LINES)

    def configure(self, cameras: Iterable[str]) -> None:
        """Set which cameras keep their places however long they are silent; from any thread."""
        self._places.configure(cameras)

    def forget(self, camera: str) -> None:
        """Forget a camera at the next `tidy`; from any thread. A later frame of it makes it a new camera."""
        self._to_forget.append(camera)

    def knows(self, key: bytes | None) -> bool:
        """Return whether a message with this key would be of a camera that has a place."""
        return (key.decode(errors="replace") if key else UNNAMED) in self._places

    def tidy(self) -> None:
        """Forget cameras that have been silent for too long, and those that are to be forgotten."""
        while self._to_forget:
            self._places.leave(self._to_forget.popleft())
        now = time.monotonic()
        if now >= self._expire_at:
            self._expire_at = now + _EXPIRE_EVERY
            self._places.expire(now)

    def take(self, message: Received) -> bool:
        """Take a message of the topic; return whether it is a frame of a camera that has a place."""
        key, came = (message.key() or b"")[: LONGEST_KEY + 1], time.monotonic()
        kind = self._offenders.kind(key, came)
        if kind is not None and not (_begins_well(message.value()) and self.knows(key)):
            _poison(kind).inc()
            return False
        try:
            frame = _decode(message, self._most_pixels, lambda error: self._correct(error, message))
        except FrameError as error:
            self._offenders.add(key, error.kind, came)
            _poison(error.kind).inc()
            self._seldom.warning(error.kind, partial(_skipped, message, error))
            return False
        self._offenders.clear(key)
        came, now = time.monotonic(), time.time_ns()
        if not self._has_place(frame, came):
            return False
        if -MOST_AHEAD <= (now - frame.captured) / 1e9 <= MOST_BEHIND:
            if not self._is_newest(frame, came):
                self._ledger.dropped(frame.camera, "outdated")
                return True
        else:
            self._correct(_wrong_clock(frame, now), message)
            frame = frame._replace(captured=now)
        if not self._room.take(frame.camera, len(frame.jpeg) + len(frame.covered), came):
            self._ledger.dropped(frame.camera, "no_room")
            text = f"frame of {frame.camera} skipped: other cameras' frames take its room (MAXPIXELS)"
            self._seldom.warning("no_room", text)
            return True
        self._sink(frame.camera, frame)
        return True

    def _correct(self, error: FrameError, message: Received) -> None:
        _CORRECTED.labels(error.kind).inc()
        self._seldom.warning(error.kind, f"frame of {_place(message)} corrected: {error}")

    def _has_place(self, frame: Frame, came: float) -> bool:
        """Count a frame in, or skip it if its camera has no place."""
        if not self._places.hear(frame.camera, came):
            if not self._places.take(frame.camera, came):
                text = f"frame of {frame.camera} skipped: there are {self._most_cameras} cameras (MAXCAMERAS)"
                _poison("too_many_cameras").inc()
                self._seldom.warning("too_many_cameras", text)
                return False
            text = f"first frame of {frame.camera}: {frame.width} x {frame.height}"
            self._coming_and_going.info("first frame", text)
        self.has_frames = True
        self._ledger.came(frame.camera, *frame.number)
        return True

    def _is_newest(self, frame: Frame, came: float) -> bool:
        captured, last = self._newest.get(frame.camera, (0, 0.0))
        if frame.captured < captured and came - last < _OUTDATED:
            return False
        self._newest[frame.camera] = frame.captured, came
        return True

    def _left(self, camera: str) -> None:
        self._ledger.forget(camera)
        self._newest.pop(camera, None)
        self._room.leave(camera)
        self._coming_and_going.info("forgotten", f"camera {camera} forgotten")
        if self._on_forget is not None:
            self._on_forget(camera)


def _skipped(message: Received, error: FrameError) -> str:
    return f"message of {_place(message)} skipped: {error}"


def _place(message: Received) -> str:
    return f"{message.topic()}[{message.partition()}] at {message.offset()}"


def _wrong_clock(frame: Frame, now: int) -> FrameError:
    seconds = (frame.captured - now) / 1e9
    when = f"{seconds:.0f} s from now" if seconds > 0 else f"{-seconds:.0f} s ago"
    return FrameError(
        "bad_clock",
        f"captured {when} by this machine's clock, so it counts as captured now; set this clock, or that of"
        f" the producer of {frame.camera}",
    )


class _Parts(NamedTuple):
    """The parts of a message; its headers are copied when they are asked for."""

    key: bytes | None
    value: bytes
    message: Received

    @property
    def headers(self) -> list[tuple[str, bytes | None]]:
        try:
            return cast("list[tuple[str, bytes | None]]", self.message.headers() or [])
        except SystemError as error:  # how confluent_kafka reports a header's name that is not UTF-8
            raise FrameError("bad_header", f"a header cannot be read: {error.__cause__ or error}") from None


def _noting(parts: _Parts) -> AbstractContextManager[object]:
    """Return what notes that a message is read, if it is so large that this may end the process."""
    if len(parts.value) < _NOTABLE:
        return _UNNOTED
    return working("read", len(parts.value), (parts.key or b"")[:LONGEST_KEY].decode(errors="replace"))


def _begins_well(value: bytes | None) -> bool:
    """Return whether this may be a picture, in either system's message."""
    return value is not None and value.startswith((jpeg.START, b"{"))


def _decode(message: Received, most_pixels: int, left_out: Callable[[FrameError], None]) -> Frame:
    value = message.value() or b""
    if not _begins_well(value):  # first, because a flood of these must not cost more
        raise FrameError("bad_jpeg", jpeg.bad_start(value))
    kind, milliseconds = message.timestamp()
    timestamp = time.time_ns() if kind == TIMESTAMP_NOT_AVAILABLE else milliseconds * 1_000_000
    parts = _Parts(message.key(), value, message)
    with _noting(parts):
        return decode(
            parts,
            offset=message.offset() or 0,
            timestamp=timestamp,
            most_pixels=most_pixels,
            left_out=left_out,
        )
