"""Finds faces with OpenCV's Haar cascade, which knows upright faces seen from the front."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

import cv2
import numpy as np
from cv2.data import haarcascades

from consumer.handlers.pictures import Pictures
from consumer.handlers.recent import Recent
from pipeline.model_server.tensors import Array
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Box

_WINDOW: Final = 24  # pixels per side of the cascade's window
_MARGIN: Final = 1.25  # how many times that the smallest face has, so that it is found at several sizes
_LEAST: Final = 0.9  # of the smallest face's size, the first that is tried
_STEP: Final = 1.1  # from one size that is tried to the next
_NEIGHBOURS: Final = 4  # detections that make a face
_DOUBTFUL: Final = 2  # detections at which to look again, closely
_LOOK: Final = 40  # pixels per side to which a face is then scaled
_AROUND: Final = 72  # pixels per side of the area that is searched
_FROM: Final = (28, 28)  # to `_TO`, the sizes that are tried there
_TO: Final = (60, 60)
_CLOSE_STEP: Final = 1.05
_ROLLS: Final = (0, -20, 20)  # degrees by which a head may have turned since
_STEEPEST: Final = 40
_PATIENCE: Final = 0.3  # s for which a face is searched after it was last seen
_SAME: Final = 0.2  # least overlap of two detections of one face

Rectangle: TypeAlias = tuple[float, float, float, float]
"""Left, top, width and height."""


@dataclass(frozen=True, slots=True)
class Face:
    """A face: its square in pixels of the frame, its roll in degrees, and when its frame was captured.

    `seen` is in ns since the epoch.
    """

    x: float
    y: float
    side: float
    roll: float
    seen: int


class Faces:
    """Finds the faces in frames, for several threads at once.

    A small copy of the picture is searched for faces of at least the share `smallest` of its height; what may
    be one is looked at closely. A known face that this does not find is searched where it was, also somewhat
    rolled.
    """

    def __init__(self, smallest: float, pictures: Pictures) -> None:
        self._smallest = smallest
        self._pictures = pictures
        self._known = Recent[tuple[Face, ...]](1)
        self._own = threading.local()

    def find(self, frame: Frame, side: int, most: int) -> list[tuple[Box, Array]]:
        """Return the boxes and the pictures, upright and of `side` by `side` pixels, of the largest faces.

        Raises PictureError if the frame is not a picture.
        """
        reduced = self._reduction(frame, side)
        grey = self._pictures.grey(frame, reduced)
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

    def forget(self, camera: str) -> None:
        """Drop the known faces of a camera."""
        self._known.forget(camera)

    def _reduction(self, frame: Frame, side: int) -> int:
        """Return how many times smaller a frame can be if its smallest faces need `side` pixels."""
        rows = frame.height * self._smallest / side
        return 4 if rows >= 4 else 2 if rows >= 2 else 1

    def _search(self, grey: Array, reduced: int, seen: int) -> list[Face]:
        """Return the faces in the whole picture."""
        height, width = grey.shape
        shrink = min(1.0, _MARGIN * _WINDOW / self._smallest / height)
        size = max(1, round(width * shrink)), max(1, round(height * shrink))
        small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        least = max(_WINDOW, round(_LEAST * size[1] * self._smallest))
        finds, counts = self._cascade.detectMultiScale2(small, _STEP, _DOUBTFUL, minSize=(least, least))
        factor = reduced / shrink
        faces: list[Face] = []
        for (x, y, side, _), count in sorted(zip(finds, counts, strict=True), key=lambda find: -find[1]):
            face = Face(x * factor, y * factor, side * factor, 0, seen)
            if not _is_among(face, faces) and (count >= _NEIGHBOURS or self._is_face(grey, reduced, face)):
                faces.append(face)
        return faces

    def _is_face(self, grey: Array, reduced: int, face: Face) -> bool:
        around = _cut(grey, reduced, face, _LOOK, _AROUND)
        return len(self._around(around, _CLOSE_STEP, _NEIGHBOURS)) > 0

    def _look(self, grey: Array, reduced: int, face: Face, seen: int) -> Face | None:
        """Return a known face at about the same place, or None."""
        factor = face.side / _LOOK
        for turn in _ROLLS:
            roll = max(-_STEEPEST, min(_STEEPEST, face.roll + turn))
            around = _cut(grey, reduced, replace(face, roll=roll), _LOOK, _AROUND)
            finds = self._around(around, _STEP, _NEIGHBOURS - 1)
            if len(finds):
                x, y, found, _ = max(finds, key=lambda find: find[2])
                away = np.array([x + found / 2 - _AROUND / 2, y + found / 2 - _AROUND / 2]) * factor
                across, down = cv2.getRotationMatrix2D((0, 0), -roll, 1)[:, :2] @ away + face.side / 2
                side = found * factor
                return Face(face.x + across - side / 2, face.y + down - side / 2, side, roll, seen)
        return None

    def _around(self, around: Array, step: float, neighbours: int) -> Sequence[Sequence[int]]:
        return self._cascade.detectMultiScale(around, step, neighbours, minSize=_FROM, maxSize=_TO)

    @property
    def _cascade(self) -> cv2.CascadeClassifier:
        # A cascade has working memory, so each thread needs its own.
        if not hasattr(self._own, "cascade"):
            path = Path(haarcascades, "haarcascade_frontalface_default.xml")
            self._own.cascade = cv2.CascadeClassifier(str(path))
        cascade: cv2.CascadeClassifier = self._own.cascade
        return cascade


def overlap(one: Rectangle, other: Rectangle) -> float:
    """Return the intersection over the union of two boxes that are not empty, 0 to 1."""
    left, top, width, height = one
    left2, top2, width2, height2 = other
    across = min(left + width, left2 + width2) - max(left, left2)
    down = min(top + height, top2 + height2) - max(top, top2)
    if across <= 0 or down <= 0:
        return 0
    common = across * down
    return common / (width * height + width2 * height2 - common)


def _is_among(face: Face, others: Sequence[Face]) -> bool:
    square = face.x, face.y, face.side, face.side
    squares = [(other.x, other.y, other.side, other.side) for other in others]
    return any(overlap(square, other) > _SAME for other in squares)


def _cut(grey: Array, reduced: int, face: Face, scaled: int, side: int) -> Array:
    """Return the `side` by `side` pixels around a face scaled to `scaled` pixels and turned upright."""
    target, now = scaled / face.side, 1 / reduced
    if target < now:  # warpAffine would skip pixels
        size = (max(1, round(length * target / now)) for length in (grey.shape[1], grey.shape[0]))
        grey, now = cv2.resize(grey, tuple(size), interpolation=cv2.INTER_AREA), target
    matrix = cv2.getRotationMatrix2D((0, 0), face.roll, target / now)
    centre = np.array([face.x + face.side / 2, face.y + face.side / 2]) * now
    matrix[:, 2] = side / 2 - matrix[:, :2] @ centre
    return cv2.warpAffine(grey, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)


def _box(face: Face, frame: Frame) -> Box:
    left, top = max(0, round(face.x)), max(0, round(face.y))
    right = min(frame.width, round(face.x + face.side))
    bottom = min(frame.height, round(face.y + face.side))
    return left, top, right - left, bottom - top
