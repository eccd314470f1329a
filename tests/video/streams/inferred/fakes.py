"""Frames that one or several models have labelled, as the consumer sends them."""

from typing import Final

import numpy as np

from pipeline.stamp import stamp, stamp_restorably
from pipeline.wire import picture
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Prediction, Result

CAT: Final = Prediction("imagenet_1", (Result("cat", 0.9),), 1, 40)
FACE: Final = Prediction("emonet_2", (Result("happy", 0.8),), 1, 40)


def plain(seq: int = 1, camera: str = "door", *, models: tuple[Prediction, ...] = (CAT, FACE)) -> Frame:
    """Return a frame before it is stamped; each number has its own shade of grey."""
    jpeg = picture.encode(np.full((180, 320, 3), 20 + seq % 200, np.uint8), 85)
    return Frame(camera, seq, seq, jpeg, 320, 180, models)


def one_model(seq: int = 1, camera: str = "door") -> Frame:
    """Return a frame with the label of `imagenet_1`."""
    frame = plain(seq, camera, models=(CAT,))
    return frame._replace(jpeg=stamp(frame, None))


def two_models(seq: int = 1, camera: str = "door") -> Frame:
    """Return a frame with the labels of `imagenet_1` and `emonet_2`."""
    frame = plain(seq, camera)
    jpeg, covered = stamp_restorably(frame, None)
    return frame._replace(jpeg=jpeg, covered=covered)


def alone(model: str, seq: int = 1, camera: str = "door") -> bytes:
    """Return what a stream of one of them shows of a frame with both labels."""
    return stamp(plain(seq, camera), None, model)
