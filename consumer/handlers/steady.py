"""Keeps a face's label from changing with every frame."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from consumer.handlers.faces import overlap
from consumer.handlers.recent import Recent
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Box

Probabilities = NDArray[np.float64]

_SAME: Final = 0.3  # least overlap of one face's boxes in two frames
_LEAD: Final = 0.1  # by which another label must be likelier than the one shown
_LONGEST: Final = 1.0  # s
_MOST: Final = 64  # remembered faces that are not in the newest frame


@dataclass(frozen=True, slots=True)
class _Known:
    box: Box
    probabilities: Probabilities
    shown: int
    seen: int  # ns since the epoch


class Steady:
    """Averages a face's probabilities over time, and keeps its label until another is clearly likelier.

    Faces are distinguished by their places; one that was not seen for a second counts as new. Several threads
    may use it at once.
    """

    def __init__(self, seconds: float) -> None:
        """Average over `seconds`, after which a frame has 37 % of its weight; 0: do not average."""
        self._seconds = seconds
        self._known = Recent[tuple[_Known, ...]](_LONGEST)

    def settle(
        self, frame: Frame, boxes: Sequence[Box], probabilities: Probabilities
    ) -> list[tuple[int, float]]:
        """Return the index of the label to show for each face, and its mean probability.

        The probabilities have the shape (faces, labels).
        """
        now = frame.captured
        left = [face for face in self._known.get(frame) or () if now - face.seen < _LONGEST * 1e9]
        faces = []
        for box, row in zip(boxes, probabilities, strict=True):
            before = max(left, key=lambda other: overlap(box, other.box), default=None)
            if before is None or overlap(box, before.box) < _SAME or len(before.probabilities) != len(row):
                faces.append(_Known(box, row, int(row.argmax()), now))
                continue
            left.remove(before)
            faces.append(self._blend(before, box, row, now))
        self._known.put(frame, (*faces, *left[:_MOST]))
        return [(face.shown, float(face.probabilities[face.shown])) for face in faces]

    def forget(self, camera: str) -> None:
        """Drop the known faces of a camera."""
        self._known.forget(camera)

    def _blend(self, before: _Known, box: Box, row: Probabilities, now: int) -> _Known:
        age = max(0, now - before.seen) / 1e9
        weight = 1 - math.exp(-age / self._seconds) if self._seconds else 1.0
        mean = before.probabilities + weight * (row - before.probabilities)
        likeliest = int(mean.argmax())
        leads = not self._seconds or mean[likeliest] >= mean[before.shown] + _LEAD
        return _Known(box, mean, likeliest if leads else before.shown, max(now, before.seen))
