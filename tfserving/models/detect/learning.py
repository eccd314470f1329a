"""The detector's training targets, loss and optimiser."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfserving.models.detect import detector
from tfserving.models.detect.detector import CELL, CLASSES, GRID, SIDE
from tfserving.models.detect.shapes import Pixels, Scene
from tfserving.models.weights import FloatArray
from tfserving.runtime import tf


def targets(scene: Scene, taken: FloatArray) -> FloatArray:
    """Return the target grid of a scene: [GRID, GRID, CLASSES + 5].

    Each class has 1 in the cell that holds a shape's centre, and less around it. The box follows, in pixels
    of the square, and its weight in that cell. `taken` is the height and width of the picture in the square.
    """
    cells = np.zeros((GRID, GRID, CLASSES + 5), np.float32)
    for box, number in zip(scene.boxes * np.tile(taken, 2), scene.classes, strict=True):
        middle, size = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
        peak = np.minimum(middle // CELL, GRID - 1)
        away = (np.arange(GRID) - peak[:, None]) * CELL / np.maximum(size / 5, CELL / 2)[:, None]
        near = np.exp(-(away[0][:, None] ** 2 + away[1] ** 2) / 2)
        cells[..., number - 1] = np.maximum(cells[..., number - 1], near)
        mine = (near > 0.3) & (near > cells[..., -1])
        cells[mine, -5:-1] = box
        cells[mine, -1] = near[mine]
    return cells


def flipped(squares: Pixels, wanted: FloatArray, *, down: bool, across: bool) -> tuple[Pixels, FloatArray]:
    """Return pictures [batch, SIDE, SIDE, 3] and their targets, flipped vertically, horizontally or both."""
    rows, columns = slice(None, None, -1 if down else 1), slice(None, None, -1 if across else 1)
    wanted = wanted[:, rows, columns].copy()
    ymin, xmin, ymax, xmax = np.moveaxis(wanted[..., -5:-1].copy(), -1, 0)
    if down:
        ymin, ymax = SIDE - ymax, SIDE - ymin
    if across:
        xmin, xmax = SIDE - xmax, SIDE - xmin
    wanted[..., -5:-1] = np.stack([ymin, xmin, ymax, xmax], axis=-1)
    return squares[:, rows, columns], wanted


def loss(cells: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """Return the loss of predicted grids against their targets.

    Every cell is judged on whether it holds a shape (false positives count less near a shape). Cells at the
    centre of a shape are also judged on its class and on the overlap of the box.
    """
    near = tf.reduce_max(wanted[..., :CLASSES], axis=-1)
    middle = tf.cast(near > 0.5, tf.float32)
    hit = middle * tf.math.log_sigmoid(cells[..., 0])
    miss = (1 - middle) * (1 - near) ** 4 * tf.sigmoid(cells[..., 0]) * tf.math.log_sigmoid(-cells[..., 0])
    there = -tf.reduce_sum(hit + miss) / tf.maximum(tf.reduce_sum(middle), 1)

    number = tf.argmax(wanted[..., :CLASSES], axis=-1)
    other = tf.nn.sparse_softmax_cross_entropy_with_logits(number, cells[..., 1:-4])
    apart = 1 - overlap(detector.boxes(cells[..., -4:]), wanted[..., -5:-1])
    counts = wanted[..., -1]
    return there + tf.reduce_sum(counts * (other + apart)) / tf.maximum(tf.reduce_sum(counts), 1)


def overlap(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Return the generalised intersection over union of boxes [..., 4], from -1 to 1.

    See https://arxiv.org/abs/1902.09630. It also distinguishes boxes that do not intersect.
    """
    both = _area(tf.maximum(a[..., :2], b[..., :2]), tf.minimum(a[..., 2:], b[..., 2:]))
    around = _area(tf.minimum(a[..., :2], b[..., :2]), tf.maximum(a[..., 2:], b[..., 2:]))
    either = _area(a[..., :2], a[..., 2:]) + _area(b[..., :2], b[..., 2:]) - both
    return both / tf.maximum(either, 1e-6) - (around - either) / tf.maximum(around, 1e-6)


class Adam:
    """Adam (Kingma and Ba, https://arxiv.org/abs/1412.6980), with a rate that rises and then falls to 0."""

    def __init__(self, variables: Sequence[Any], rate: float, steps: int) -> None:
        self._variables = variables
        self._rate = rate
        self._steps = steps
        self._step = tf.Variable(0.0, trainable=False)
        self._means = [tf.Variable(tf.zeros_like(v), trainable=False) for v in variables]
        self._squares = [tf.Variable(tf.zeros_like(v), trainable=False) for v in variables]

    def apply(self, gradients: Sequence[tf.Tensor]) -> None:
        """Take one step; call this while a graph is built."""
        step = self._step.assign_add(1.0)
        rise = tf.minimum(step / (0.1 * self._steps), 1.0)
        rate = self._rate * rise * (1 + tf.cos(np.pi * step / self._steps)) / 2
        for variable, gradient, mean, square in zip(
            self._variables, gradients, self._means, self._squares, strict=True
        ):
            mean.assign(0.9 * mean + 0.1 * gradient)
            square.assign(0.99 * square + 0.01 * gradient**2)
            unbiased = tf.sqrt(square / (1 - 0.99**step)) + 1e-7
            variable.assign_sub(rate * mean / (1 - 0.9**step) / unbiased)


def _area(low: tf.Tensor, high: tf.Tensor) -> tf.Tensor:
    return tf.reduce_prod(tf.maximum(high - low, 0), axis=-1)
