"""The interface that every kind of camera implements."""

from dataclasses import dataclass
from typing import Final, Protocol

from pipeline.service.values import Address
from pipeline.targets import Targets
from pipeline.wire import largest
from pipeline.wire.picture import Image, PictureError
from pipeline.wire.text import one_line

_VIDEO: Final = 0.1  # s; shorter intervals between frames are meant for video
_USUAL: Final = 1.0


SLOW: Final = "; if it is slow to start, raise OPENTIMEOUT"
"""The end of a message about a camera that took too long to open."""


class CaptureError(Exception):
    """A source cannot be opened, or delivers nothing more.

    The text, which may quote the camera, is made one line of printable characters. The camera may ask to be
    left alone for `retry_after` s.
    """

    def __init__(self, text: str = "", retry_after: float = 0.0) -> None:
        super().__init__(one_line(text))
        self.retry_after = retry_after


class SilentError(CaptureError):
    """A camera does not answer within the time for opening it, in s."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:g} s{SLOW}")


class EndedError(CaptureError):
    """A camera has ended a video that it had delivered; it may be asked again at once."""


class BehindError(PictureError):
    """The frame was left out, because the camera sends more than can be decoded."""


class TooLargeError(PictureError):
    """A picture is larger than the largest frame that is accepted."""


@dataclass(frozen=True, slots=True)
class Captured:
    """A picture, its size in pixels, and the time of its capture in ns since the epoch.

    The picture is an image, or a JPEG as the source delivered it.
    """

    picture: Image | bytes
    width: int
    height: int
    at: int

    @property
    def size(self) -> int:
        """Its bytes in memory."""
        return len(self.picture) if isinstance(self.picture, bytes) else self.picture.nbytes


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait for a source to open, and for data from it, in s; and where else it may lead.

    A camera's web server may redirect to these `hosts` besides its own. `services` are our own, which are no
    cameras. A picture has at most `pixels`.
    """

    open: float
    read: float
    hosts: frozenset[str] = frozenset()
    services: tuple[Address, ...] = ()
    pixels: int = largest.PIXELS

    def targets(self, host: str) -> Targets:
        """Return what may be connected to for the camera at a host."""
        return Targets(self.hosts | {host}, self.services, "the link or REDIRECTHOSTS")


class Source(Protocol):
    """An open source of pictures."""

    @property
    def interval(self) -> float:
        """Seconds between two frames, if the source itself keeps to an interval; otherwise 0."""

    def due_in(self) -> float:
        """Return in how many seconds to call `grab`; 0 if `grab` itself waits. May raise `CaptureError`."""

    def grab(self) -> None:
        """Wait for the next frame; raise `CaptureError` if there is none."""

    def retrieve(self) -> Captured:
        """Return the grabbed frame; raise `PictureError` if it does not hold a complete picture."""

    def close(self) -> None:
        """Release the source."""


def interval_of_pictures(interval: float) -> float:
    """Return the s between two pictures, given the s between two published frames.

    Intervals that are meant for video are too short, because each picture may be a request to a camera.
    """
    return interval if interval >= _VIDEO else _USUAL
