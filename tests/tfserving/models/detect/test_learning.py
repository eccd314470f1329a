"""The detector's training targets, loss and steps."""

import numpy as np
import pytest

from tests.tfserving.scenes import one, perfect
from tfserving.models.detect import detector, training
from tfserving.models.detect.detector import CLASSES, GRID, SIDE
from tfserving.models.detect.learning import Adam, flipped, loss, overlap, targets
from tfserving.runtime import tf

WHOLE = np.array([SIDE, SIDE], np.float32)


def test_the_cell_in_the_middle_of_a_shape_is_its_peak() -> None:
    cells = targets(one([0.25, 0.5, 0.5, 0.875], 3), WHOLE)

    rows, columns = np.nonzero(cells[..., 2] == 1)
    assert (rows.tolist(), columns.tolist()) == ([6], [11])
    assert cells[6, 11, -5:].tolist() == [32, 64, 64, 112, 1]
    assert not cells[..., [0, 1, 3]].any()
    assert cells[6, 12, 2] > cells[6, 13, 2] > cells[6, 15, 2]


def test_a_box_is_placed_where_the_picture_lies_in_the_square() -> None:
    cells = targets(one([0, 0, 1, 1], 1), np.array([SIDE, SIDE / 2], np.float32))

    assert cells[GRID // 2, GRID // 4, -5:-1].tolist() == [0, 0, SIDE, SIDE / 2]


@pytest.mark.parametrize(("down", "across"), [(False, True), (True, False), (True, True), (False, False)])
def test_a_flipped_picture_has_the_targets_of_a_flipped_scene(down: bool, across: bool) -> None:
    box = np.array([0.1, 0.3, 0.42, 0.63])
    low, high = box[:2].copy(), box[2:].copy()
    for axis, turned in enumerate((down, across)):
        if turned:
            low[axis], high[axis] = 1 - box[2 + axis], 1 - box[axis]
    squares = np.random.default_rng(0).integers(0, 255, (1, SIDE, SIDE, 3)).astype(np.uint8)

    pictures, grids = flipped(squares, targets(one(list(box), 2), WHOLE)[None], down=down, across=across)

    expected = targets(one([*low, *high], 2), WHOLE)
    counts = expected[..., -1] > 0
    assert np.allclose(grids[0, ..., :CLASSES], expected[..., :CLASSES])
    assert np.allclose(grids[0][counts], expected[counts], atol=1e-4)
    assert (pictures[0, -1 if down else 0, -1 if across else 0] == squares[0, 0, 0]).all()


def test_a_perfect_answer_has_no_loss_and_each_mistake_has_some() -> None:
    goal = targets(one([0.25, 0.5, 0.5, 0.875], 3), WHOLE)[None]
    right = perfect(goal)
    silent, confused, shifted = right.copy(), right.copy(), right.copy()
    silent[..., 0] = -20
    confused[..., 1 : 1 + CLASSES] = np.roll(right[..., 1 : 1 + CLASSES], 1, axis=-1)
    shifted[..., -4:] += 0.5

    assert loss(tf.constant(right), goal) < 1e-3
    for wrong in (silent, confused, shifted):
        assert loss(tf.constant(wrong), goal) > 0.2


@pytest.mark.parametrize(
    ("other", "value"),
    [
        ([0, 0, 2, 2], 1),
        ([0, 0, 2, 4], 0.5),
        ([0, 2, 2, 4], 0),
        ([0, 4, 2, 6], -1 / 3),
        ([1, 1, 3, 3], 1 / 7 - 2 / 9),
    ],
)
def test_the_overlap_is_generalised_intersection_over_union(other: list[float], value: float) -> None:
    assert overlap(tf.constant([0.0, 0, 2, 2]), tf.constant(other, tf.float32)).numpy() == pytest.approx(
        value
    )


def test_steps_lead_to_the_minimum() -> None:
    x = tf.Variable([5.0, -3.0])
    adam = Adam([x], 0.2, 200)

    for _ in range(200):
        adam.apply([2 * (x - [1.0, 2.0]) * [1.0, 100.0]])

    assert np.allclose(x, [1, 2], atol=0.02)


def test_training_is_the_same_each_time() -> None:
    first, second = (training.train(pictures=32, rounds=2) for _ in range(2))

    assert list(first) == list(second)
    assert all((first[name].kernel == second[name].kernel).all() for name in first)
    assert all((first[name].bias == second[name].bias).all() for name in first)


def test_training_learns() -> None:
    squares, goals = training.examples(np.random.default_rng(7), 64, lambda _: None)

    def badness(pictures: int) -> float:
        layers = training.train(pictures=pictures, rounds=1)
        cells = detector.grid(detector.scaled(squares), lambda name, x: layers[name](x))
        return float(loss(cells, goals))

    assert badness(pictures=320) < 0.85 * badness(pictures=16), "after twenty steps, and after one"
