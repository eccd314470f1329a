"""A box counts as correct once, if its class and its overlap are right."""

import numpy as np
import pytest

from tfserving.models.detect.accuracy import Accuracy, matches, overlap
from tfserving.models.detect.shapes import Scene

A, B = [0.0, 0.0, 0.4, 0.4], [0.5, 0.5, 0.9, 0.9]


@pytest.mark.parametrize(
    ("boxes", "classes", "right"),
    [
        ([A, B], [1, 2], 2),
        ([B, A], [2, 1], 2),
        ([A, A], [1, 1], 1),
        ([A, B], [2, 1], 0),
        ([[0, 0, 0.4, 0.21]], [1], 1),
        ([[0, 0, 0.4, 0.19]], [1], 0),
        ([], [], 0),
    ],
)
def test_a_box_of_the_scene_is_found_once(boxes: list[list[float]], classes: list[int], right: int) -> None:
    scene = Scene(np.zeros((9, 9, 3), np.uint8), np.array([A, B], np.float32), np.array([1, 2]))
    found = np.array(boxes, np.float32).reshape(-1, 4)

    assert matches(found, np.array(classes, np.float32), scene) == right


def test_boxes_without_area_overlap_nothing() -> None:
    nothing = np.zeros(4, np.float32)

    assert overlap(nothing, nothing) == 0


def test_the_figures_follow_from_the_counts() -> None:
    accuracy = Accuracy(pictures=10, found=20, right=15, there=30)

    assert (accuracy.precision, accuracy.recall) == (0.75, 0.5)
    assert "precision 0.750, recall 0.500 of 30 shapes on 10 pictures" in str(accuracy)
    assert (Accuracy(1, 0, 0, 0).precision, Accuracy(1, 0, 0, 0).recall) == (1, 1)
