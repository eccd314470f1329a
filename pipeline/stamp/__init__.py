"""Stamps the models' predictions on frames: captions, then marks, then tiles."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from prometheus_client import Counter

from pipeline.stamp.captions import write_captions
from pipeline.stamp.jpeg_head import UnfitError
from pipeline.stamp.place import place_captions
from pipeline.stamp.tiles import Tiles, draw_on_tiles
from pipeline.wire import covered, picture
from pipeline.wire.covered import Patch
from pipeline.wire.frame import Frame
from pipeline.wire.picture import Image
from pipeline.wire.predictions import Prediction

_WHOLE: Final = Counter(
    "streamlens_frames_stamped_whole", "Frames decoded and encoded as a whole to be stamped", ["reason"]
)
_QUALITY: Final = 85  # for JPEGs whose quality cannot be determined
_UNCHANGED: Final = Patch(0, 0, b"")


class Stamped(NamedTuple):
    """A stamped JPEG, and what restores it as it was before: see `pipeline.wire.covered`."""

    jpeg: bytes
    covered: bytes


def stamp(frame: Frame, quality: int | None, only: str | None = None) -> bytes:
    """Return a frame's JPEG with its predictions on it, at `quality` (None: the JPEG's own).

    Only the tiles that the marks touch change. They become what they would be if the whole picture were
    decoded, drawn on and encoded; where tiles cannot be exchanged, the whole picture is. With `only`, the
    predictions of all other models are left out. Raises `PictureError` where the frame cannot be decoded.
    """
    jpeg, _ = _stamp(frame, quality, only)
    return jpeg


def stamp_restorably(frame: Frame, quality: int | None) -> Stamped:
    """Do the same as `stamp`, and return what restores the JPEG as well."""
    jpeg, tiles = _stamp(frame, quality, None)
    patches = tiles.covered() if tiles else [Patch(0, len(jpeg), frame.jpeg)]
    return Stamped(jpeg, covered.encode(patches or [_UNCHANGED]))


def draw_predictions(image: Image, predictions: Sequence[Prediction], only: str | None = None) -> None:
    """Draw predictions on the pixels of a whole picture."""
    height, width = image.shape[:2]
    for mark in place_captions(write_captions(predictions, only), width, height):
        mark.draw(image, 0, 0)


def _stamp(frame: Frame, quality: int | None, only: str | None) -> tuple[bytes, Tiles | None]:
    """Return the stamped JPEG and its tiles; None if the whole picture was encoded."""
    try:
        marks = place_captions(write_captions(frame.predictions, only), frame.width, frame.height)
        tiles = draw_on_tiles(frame.jpeg, marks, quality)
        return tiles.join(), tiles
    except UnfitError as error:
        _WHOLE.labels(error.reason).inc()
        own = error.quality
    image = picture.decode(frame.jpeg)
    draw_predictions(image, frame.predictions, only)
    return picture.encode(image, quality or own or _QUALITY), None
