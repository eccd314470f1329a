"""The detector's accuracy on generated pictures that it was not trained on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tfserving.models.detect import shapes
from tfserving.models.detect.shapes import Scene
from tfserving.models.weights import FloatArray

SEED = 2
PICTURES = 300
SIDES = (120, 640)
SCORE = 0.5  # the least score at which a box counts as found
OVERLAP = 0.5  # the least overlap with a true box of its class at which a found box is right

Detect = Callable[[bytes], Mapping[str, npt.ArrayLike]]  # returns a batch of one picture


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Counts of boxes: those found, those of them that are right, and those that are on the pictures."""

    pictures: int
    found: int
    right: int
    there: int

    @property
    def precision(self) -> float:
        """The share of the found boxes that are right; 1 if none is found."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """The share of the boxes on the pictures that were found; 1 if there are none."""
        return self.right / self.there if self.there else 1.0

    def __str__(self) -> str:
        """Return the accuracy as one line to print."""
        return (
            f"held out: precision {self.precision:.3f}, recall {self.recall:.3f} "
            f"of {self.there} shapes on {self.pictures} pictures (score {SCORE}, overlap {OVERLAP})"
        )


def measure(detect: Detect, pictures: int = PICTURES, sides: tuple[int, int] = SIDES) -> Accuracy:
    """Measure the accuracy on new pictures, whose longer side is in the range `sides` (pixels).

    `detect` returns the outputs of the signature.
    """
    random = np.random.default_rng(SEED)
    found = right = there = 0
    for _ in range(pictures):
        scene, jpeg = shapes.draw(random, *sides)
        answer = {name: np.asarray(value)[0] for name, value in detect(jpeg).items()}
        sure = answer["detection_scores"] >= SCORE
        found += int(sure.sum())
        right += matches(answer["detection_boxes"][sure], answer["detection_classes"][sure], scene)
        there += len(scene.boxes)
    return Accuracy(pictures, found, right, there)


def matches(boxes: FloatArray, classes: FloatArray, scene: Scene) -> int:
    """Return how many boxes [count, 4], most likely first, are right; a scene's box counts only once."""
    left = list(range(len(scene.boxes)))
    for box, number in zip(boxes, classes, strict=True):
        same = [n for n in left if scene.classes[n] == number and overlap(box, scene.boxes[n]) >= OVERLAP]
        if same:
            left.remove(max(same, key=lambda n: overlap(box, scene.boxes[n])))
    return len(scene.boxes) - len(left)


def overlap(a: FloatArray, b: FloatArray) -> float:
    """Return the intersection over union of two boxes, 0..1."""
    both = np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0))
    either = np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - both
    return float(both / either) if either > 0 else 0.0
