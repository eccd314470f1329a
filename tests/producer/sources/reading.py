"""Reads sources, and identifies the pictures that tests expect from them."""

import numpy as np

from pipeline.wire import picture
from producer.sources.source import Captured, Source
from tests.producer.conftest import GREYS


def read(source: Source) -> Captured:
    source.due_in()  # without waiting
    source.grab()
    return source.retrieve()


def grey_of(captured: Captured) -> int:
    """Return the clip's grey level that is closest to a picture's."""
    assert isinstance(captured.picture, bytes)
    mean = float(picture.decode(captured.picture).mean())
    return min(GREYS, key=lambda grey: abs(grey - mean))


def jpegs() -> list[bytes]:
    return [picture.encode(np.full((48, 64, 3), grey, np.uint8), 85) for grey in GREYS]
