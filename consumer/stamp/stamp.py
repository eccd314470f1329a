"""Stamps the models' answers on a JPEG: only the tiles that the marks touch are decoded and encoded again."""

from typing import Final

from prometheus_client import Counter

from consumer.stamp import annotate
from consumer.stamp.jpeg_head import UnfitError
from consumer.stamp.tiles import Tiles
from pipeline.wire import picture
from pipeline.wire.frame import Frame
from pipeline.wire.picture import MCU

_WHOLE: Final = Counter(
    "streamlens_frames_stamped_whole", "Frames decoded and encoded as a whole to be stamped", ["reason"]
)
_QUALITY: Final = 85  # of what tells no quality of its own


def stamp(frame: Frame, quality: int | None) -> bytes:
    """Return a frame's JPEG with its predictions on it, in `quality` (None: as it came).

    The tiles that are stamped become the same as if the whole picture was decoded, drawn on and encoded; the
    others stay bit for bit. Where tiles cannot be exchanged, it is the whole picture that is. Raises
    `PictureError` where the frame cannot be decoded.
    """
    try:
        return _stamp_tiles(frame, quality)
    except UnfitError as error:
        _WHOLE.labels(error.reason).inc()
        own = error.quality
    image = picture.decode(frame.jpeg)
    annotate.stamp(image, frame.predictions)
    return picture.encode(image, quality or own or _QUALITY)


def _stamp_tiles(frame: Frame, quality: int | None) -> bytes:
    tiles = Tiles(frame.jpeg, quality)
    marks = annotate.marks(frame.predictions, frame.width, frame.height)
    for area in tiles.touched(part for mark in marks for part in mark.areas()):
        image = tiles.cut(area)
        for mark in marks:
            mark.draw(image, area.left * tiles.width, area.top * MCU)
        tiles.put(area, image)
    return tiles.join()
