"""Stamps the models' predictions on frames: captions, then marks, then tiles."""

from collections.abc import Sequence
from typing import Final

from prometheus_client import Counter

from consumer.stamp.captions import write_captions
from consumer.stamp.jpeg_head import UnfitError
from consumer.stamp.place import place_captions
from consumer.stamp.tiles import draw_on_tiles
from pipeline.wire import picture
from pipeline.wire.frame import Frame
from pipeline.wire.picture import Image
from pipeline.wire.predictions import Prediction

_WHOLE: Final = Counter(
    "streamlens_frames_stamped_whole", "Frames decoded and encoded as a whole to be stamped", ["reason"]
)
_QUALITY: Final = 85  # for JPEGs whose quality cannot be determined


def stamp(frame: Frame, quality: int | None) -> bytes:
    """Return a frame's JPEG with its predictions on it, at `quality` (None: the JPEG's own).

    Only the tiles that the marks touch change. They become what they would be if the whole picture were
    decoded, drawn on and encoded; where tiles cannot be exchanged, the whole picture is. Raises
    `PictureError` where the frame cannot be decoded.
    """
    try:
        marks = place_captions(write_captions(frame.predictions), frame.width, frame.height)
        return draw_on_tiles(frame.jpeg, marks, quality)
    except UnfitError as error:
        _WHOLE.labels(error.reason).inc()
        own = error.quality
    image = picture.decode(frame.jpeg)
    draw_predictions(image, frame.predictions)
    return picture.encode(image, quality or own or _QUALITY)


def draw_predictions(image: Image, predictions: Sequence[Prediction]) -> None:
    """Draw predictions on the pixels of a whole picture."""
    height, width = image.shape[:2]
    for mark in place_captions(write_captions(predictions), width, height):
        mark.draw(image, 0, 0)
