"""Streams with one model's labels: what a frame's labels cover, and the ids in paths."""

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import Final

import numpy as np

from pipeline.stamp import stamp_restorably
from pipeline.wire import jpeg, picture
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Prediction, Result
from video.streams.inferred.identity import Identity
from video.streams.inferred.separate import SeparateError, separate

_SIZE: Final = (64, 48)
_MODELS: Final = (
    Prediction("imagenet_1", (Result("cat", 0.9),), 1, 41),
    Prediction("emonet_2", (Result("happy", 0.8, (10, 10, 20, 20)),), 1, 41),
)


def separated(data: bytes) -> None:
    """Restore a frame's JPEG with a header `covered`, and stamp it with the labels of one model."""
    with suppress(SeparateError):
        found = separate(_stamped()._replace(covered=data), "emonet_2")
        width, height = jpeg.size(found)
        assert width * height <= _SIZE[0] * _SIZE[1]


def identified(data: bytes) -> None:
    """Read a stream's id from a path."""
    with suppress(ValueError):
        found = Identity.read(data.decode("ascii", "replace"))
        assert Identity.read(str(found)) == found


def covers() -> Sequence[bytes]:
    """Return headers of the frame."""
    return [_stamped().covered]


def paths() -> Sequence[bytes]:
    """Return paths."""
    return [b"door:imagenet_1:inferred", b"a%3Ab:car%2Fint8:inferred", b"door%3Aimagenet_1%3Ainferred"]


@cache
def _stamped() -> Frame:
    width, height = _SIZE
    plain = picture.encode(np.full((height, width, 3), 90, np.uint8), 85)
    frame = Frame("door", 1, 1, plain, width, height, _MODELS)
    stamped, covered = stamp_restorably(frame, None)
    return frame._replace(jpeg=stamped, covered=covered)
