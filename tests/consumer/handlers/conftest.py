"""What the handlers' tests share: films, and frames of one colour."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.wire.frame import Frame
from tests.clock import SECOND

Film = Callable[..., list[Frame]]


@pytest.fixture(scope="session")
def film(clips: Path) -> Film:
    """Return the frames of a clip, 30 a second; scaled where a size is given."""

    def film(name: str, *, most: int = 1000, size: tuple[int, int] | None = None) -> list[Frame]:
        reader, frames = cv2.VideoCapture(str(clips / f"{name}.mp4")), list[Frame]()
        while len(frames) < most:
            good, image = reader.read()
            if not good:
                break
            image = cv2.resize(image, size) if size else image
            jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
            seq = len(frames)
            captured = SECOND + seq * SECOND // 30
            frames.append(Frame("door", seq, captured, jpeg, image.shape[1], image.shape[0]))
        reader.release()
        return frames

    return film


def coloured(red: int, green: int, blue: int, *, width: int = 96, height: int = 64) -> Frame:
    """Return a frame of one colour."""
    image = np.full((height, width, 3), (blue, green, red), np.uint8)
    jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    return Frame("door", 1, SECOND, jpeg, width, height)
