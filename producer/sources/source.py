"""A source of pictures, as every kind of camera offers it."""

from dataclasses import dataclass
from typing import Protocol

from pipeline.wire.picture import Image


class CaptureError(Exception):
    """The source cannot be opened, or gives no more frames; the text says which. It holds no address."""


@dataclass(frozen=True, slots=True)
class Captured:
    """A picture, its size in pixels, and when it was captured, in ns since the epoch.

    The picture is an image, or the JPEG as it came from a source whose stream is one of JPEGs.
    """

    picture: Image | bytes
    width: int
    height: int
    at: int


class Source(Protocol):
    """An open source of pictures."""

    @property
    def paced(self) -> bool:
        """Whether the source has frames at any time, so that the reader has to set the pace."""

    def grab(self) -> None:
        """Wait for the next frame; raise `CaptureError` if there is none."""

    def retrieve(self) -> Captured:
        """Return the frame that was grabbed; raise `PictureError` if it holds no whole picture."""

    def close(self) -> None:
        """Release the source."""
