"""Finds faces with OpenCV's Haar cascade, which knows upright ones, seen from the front."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from cv2.data import haarcascades

from consumer.handlers import overlap
from consumer.handlers.recent import Recent
from consumer.model_server.tensors import Array
from pipeline.wire.frame import Frame
from pipeline.wire.picture import PictureError
from pipeline.wire.predictions import Box

_WINDOW: Final = 24  # pixels of the cascade's square
_STEP: Final = 1.15  # between the sizes that are tried
_NEIGHBOURS: Final = 4  # finds that make a face
_LOOK: Final = 40  # pixels that a known face is scaled to
_AROUND: Final = 72  # pixels that are then looked at
_ROLLS: Final = (0, -20, 20)  # degrees that a head may have turned since
_STEEPEST: Final = 40
_PATIENCE: Final = 0.3  # s a face is looked for after it was last seen
_SAME: Final = 0.2  # the share that two finds of one face have in common at least
_READS: Final = {
    1: cv2.IMREAD_GRAYSCALE,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
}


@dataclass(frozen=True, slots=True)
class Face:
    """A face: its square, in pixels of the frame, how far it is rolled, in degrees, and when it was seen.

    `seen` is the time at which the frame was captured, in ns since the epoch.
    """

    x: float
    y: float
    side: float
    roll: float
    seen: int


class Faces:
    """Finds the faces of frames; may be used by several threads at once.

    The whole of a small picture is searched, for faces down to the share `smallest` of its height. A known
    face that this does not find is looked for where it was, somewhat rolled too.
    """

    def __init__(self, smallest: float) -> None:
        self._smallest = smallest
        self._known = Recent[tuple[Face, ...]](1)
        self._own = threading.local()

    def find(self, frame: Frame, side: int, most: int) -> list[tuple[Box, Array]]:
        """Return the boxes and the pictures, `side` pixels a side and upright, of the largest faces.

        Raises PictureError where the frame is no picture.
        """
        grey, reduced = self._read(frame, side)
        faces = self._search(grey, reduced, frame.captured)
        lost = []
        for face in self._known.get(frame) or ():
            if _is_among(face, faces):
                continue
            again = self._look(grey, reduced, face, frame.captured)
            if again and again.side >= self._smallest * frame.height / 2 and not _is_among(again, faces):
                faces.append(again)
            elif frame.captured - face.seen < _PATIENCE * 1e9:
                lost.append(face)
        faces = sorted(faces, key=lambda face: -face.side)[:most]
        self._known.put(frame, (*faces, *lost[:most]))
        boxes = [(_box(face, frame), _cut(grey, reduced, face, side, side)) for face in faces]
        return [(box, picture) for box, picture in boxes if box[2] > 0 and box[3] > 0]

    def _read(self, frame: Frame, side: int) -> tuple[Array, int]:
        """Return the frame in grey, and how many times smaller it is; its faces have about `side` pixels."""
        rows = frame.height * self._smallest / side
        reduced = 4 if rows >= 4 else 2 if rows >= 2 else 1
        try:
            grey: Array | None = cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), _READS[reduced])
        except cv2.error as error:  # no bytes at all, or more pixels than OpenCV takes
            raise PictureError(f"{len(frame.jpeg)} bytes are no picture: {error.err}") from None
        if grey is None:
            raise PictureError(f"{len(frame.jpeg)} bytes are no picture")
        return grey, reduced

    def _search(self, grey: Array, reduced: int, seen: int) -> list[Face]:
        """Return the faces in the whole picture."""
        height, width = grey.shape
        shrink = min(1.0, _WINDOW / self._smallest / height)
        size = max(1, round(width * shrink)), max(1, round(height * shrink))
        small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        least = max(_WINDOW, int(size[1] * self._smallest))
        finds = self._cascade.detectMultiScale(small, _STEP, _NEIGHBOURS, minSize=(least, least))
        factor = reduced / shrink
        return [Face(x * factor, y * factor, side * factor, 0, seen) for x, y, side, _ in finds]

    def _look(self, grey: Array, reduced: int, face: Face, seen: int) -> Face | None:
        """Return a face that is about where it was, or None."""
        factor = face.side / _LOOK
        for turn in _ROLLS:
            roll = max(-_STEEPEST, min(_STEEPEST, face.roll + turn))
            around = _cut(grey, reduced, replace(face, roll=roll), _LOOK, _AROUND)
            finds = self._cascade.detectMultiScale(
                around, _STEP, _NEIGHBOURS - 1, minSize=(28, 28), maxSize=(60, 60)
            )
            if len(finds):
                x, y, found, _ = max(finds, key=lambda find: find[2])
                away = np.array([x + found / 2 - _AROUND / 2, y + found / 2 - _AROUND / 2]) * factor
                across, down = cv2.getRotationMatrix2D((0, 0), -roll, 1)[:, :2] @ away + face.side / 2
                side = found * factor
                return Face(face.x + across - side / 2, face.y + down - side / 2, side, roll, seen)
        return None

    @property
    def _cascade(self) -> cv2.CascadeClassifier:
        # A cascade holds what it works on: each thread has its own.
        if not hasattr(self._own, "cascade"):
            path = Path(haarcascades, "haarcascade_frontalface_default.xml")
            self._own.cascade = cv2.CascadeClassifier(str(path))
        cascade: cv2.CascadeClassifier = self._own.cascade
        return cascade


def _is_among(face: Face, others: Sequence[Face]) -> bool:
    square = face.x, face.y, face.side, face.side
    squares = [(other.x, other.y, other.side, other.side) for other in others]
    return any(overlap.share(square, other) > _SAME for other in squares)


def _cut(grey: Array, reduced: int, face: Face, scaled: int, side: int) -> Array:
    """Return `side` pixels a side around a face that is scaled to `scaled` pixels and turned upright."""
    wanted, now = scaled / face.side, 1 / reduced
    if wanted < now:  # warpAffine would leave pixels out
        size = (max(1, round(length * wanted / now)) for length in (grey.shape[1], grey.shape[0]))
        grey, now = cv2.resize(grey, tuple(size), interpolation=cv2.INTER_AREA), wanted
    matrix = cv2.getRotationMatrix2D((0, 0), face.roll, wanted / now)
    centre = np.array([face.x + face.side / 2, face.y + face.side / 2]) * now
    matrix[:, 2] = side / 2 - matrix[:, :2] @ centre
    return cv2.warpAffine(grey, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)


def _box(face: Face, frame: Frame) -> Box:
    left, top = max(0, round(face.x)), max(0, round(face.y))
    right = min(frame.width, round(face.x + face.side))
    bottom = min(frame.height, round(face.y + face.side))
    return left, top, right - left, bottom - top
