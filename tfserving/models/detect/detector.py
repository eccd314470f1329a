"""The exported detector: JPEGs in, boxes, classes and scores of shapes out.

The signature is that of TensorFlow's object detection models with encoded pictures. A picture is fitted into
a square. For each cell of a grid, the network predicts whether the centre of a shape lies there, its class,
and the distances to the sides of its box (after CenterNet, https://arxiv.org/abs/1904.07850, and FCOS,
https://arxiv.org/abs/1904.01355).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tfserving.models.jpeg import decoded
from tfserving.models.layers import Convolution
from tfserving.models.precision import Precision
from tfserving.runtime import tf

SIDE = 128  # pixels, the side of the square that the network takes
CELL = 8  # pixels, the side of a cell of the grid
GRID = SIDE // CELL
GREY = 127.0
CLASSES = 4
MOST = 20  # boxes that an answer has room for
LEAST = 0.2  # boxes with a lower score are not returned
OVERLAP = 0.5  # of two boxes that overlap by more, only the likelier is returned


@dataclass(frozen=True, slots=True)
class Layer:
    """The size of a convolution. The head has neither normalisation nor activation."""

    kernel: int
    inputs: int
    outputs: int
    stride: int = 1


LAYERS: Mapping[str, Layer] = {
    "half": Layer(3, 4, 16, 2),
    "quarter": Layer(3, 16, 32, 2),
    "eighth": Layer(3, 32, 64, 2),
    "wide": Layer(3, 64, 96, 2),
    "wider": Layer(3, 96, 96),
    "widest": Layer(3, 96, 96),
    "narrow": Layer(1, 96, 64),
    "joined": Layer(3, 64, 64),
    "head": Layer(1, 64, 1 + CLASSES + 4),
}


def grid(x: tf.Tensor, layer: Callable[[str, tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Return [batch, GRID, GRID, 1 + CLASSES + 4] of pictures [batch, SIDE, SIDE, 3] with values -1..1.

    Each cell holds the logit of a shape, the logits of the classes, and the logarithms of the distances, in
    cells, from the cell's centre up, left, down and right to the sides of the box. `layer` applies the layer
    of a name.
    """
    # Edges identify a shape whatever its colour. With edges as an input, training takes far fewer steps.
    dy, dx = tf.unstack(tf.image.sobel_edges(x), axis=-1)
    x = tf.concat([x, tf.sqrt(tf.reduce_max(dy**2 + dx**2, axis=-1, keepdims=True) + 1e-4)], axis=-1)
    for name in ("half", "quarter", "eighth"):
        x = layer(name, x)
    y = layer("wide", x)
    y = layer("widest", layer("wider", y) + y)
    # Combine coarse features with fine ones.
    y = tf.repeat(tf.repeat(layer("narrow", y), 2, axis=1), 2, axis=2)
    return layer("head", layer("joined", x + y))


def boxes(distances: tf.Tensor) -> tf.Tensor:
    """Return boxes [..., GRID, GRID, 4] as ymin, xmin, ymax, xmax in pixels of the square.

    `distances` are the last four values of each cell.
    """
    middle = (tf.range(GRID, dtype=tf.float32) + 0.5) * CELL
    y, x = tf.meshgrid(middle, middle, indexing="ij")
    up, left, down, right = tf.unstack(tf.exp(tf.clip_by_value(distances, -4, 4)) * CELL, axis=-1)
    return tf.stack([y - up, x - left, y + down, x + right], axis=-1)


def fitted(jpeg: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Decode a JPEG into a square [SIDE, SIDE, 3], values 0..255; also return its [height, width] there.

    The picture keeps its aspect ratio and is placed at the top left. The rest of the square is grey.
    """
    pixels = decoded(jpeg)
    size = tf.cast(tf.shape(pixels)[:2], tf.float32)
    taken = tf.maximum(tf.cast(tf.round(size * SIDE / tf.reduce_max(size)), tf.int32), 1)
    small = tf.image.resize(pixels, taken, antialias=True)
    square = tf.image.pad_to_bounding_box(small - GREY, 0, 0, SIDE, SIDE) + GREY
    return square, tf.cast(taken, tf.float32)


def scaled(squares: tf.Tensor) -> tf.Tensor:
    """Scale pictures with values 0..255 to the network's input range."""
    return (tf.cast(squares, tf.float32) - GREY) / 128


def peaks(cells: tf.Tensor) -> tf.Tensor:
    """Return the scores [batch, GRID, GRID, CLASSES] of a grid.

    A score is 0 if another class or a neighbouring cell has a higher one.
    """
    # The geometric mean, as in FCOS: the product of two fairly high probabilities would be too low.
    scores = tf.sqrt(tf.sigmoid(cells[..., :1]) * tf.nn.softmax(cells[..., 1:-4]))
    highest = tf.nn.max_pool2d(tf.reduce_max(scores, axis=-1, keepdims=True), 3, 1, "SAME")
    return tf.where(scores == highest, scores, 0)


class Network:
    """The trained network, built from its layers by name, with kernels stored in the given precision."""

    def __init__(self, layers: Mapping[str, Convolution], precision: Precision = "float32") -> None:
        self._layers = {name: replace(layer, precision=precision) for name, layer in layers.items()}

    def __call__(self, jpegs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the signature's outputs for JPEGs (string [batch])."""
        shapes = (tf.TensorSpec([SIDE, SIDE, 3], tf.float32), tf.TensorSpec([2], tf.float32))
        squares, taken = tf.map_fn(fitted, jpegs, fn_output_signature=shapes)
        cells = grid(scaled(squares), lambda name, x: self._layers[name](x))
        size = tf.tile(taken, [1, 2])[:, None, None]
        found, scores, classes, count = tf.image.combined_non_max_suppression(
            tf.reshape(boxes(cells[..., -4:]) / size, [-1, GRID * GRID, 1, 4]),
            tf.reshape(peaks(cells), [-1, GRID * GRID, CLASSES]),
            max_output_size_per_class=MOST,
            max_total_size=MOST,
            iou_threshold=OVERLAP,
            score_threshold=LEAST,
        )
        # Classes count from 1. Entries without a box are all 0.
        return {
            "detection_boxes": found,
            "detection_scores": scores,
            "detection_classes": tf.where(scores > 0, classes + 1, 0),
            "num_detections": tf.cast(count, tf.float32),
        }


class Detector(tf.Module):  # type: ignore[misc] # tensorflow publishes no types
    """From JPEG bytes to boxes, including decoding."""

    def __init__(self, layers: Mapping[str, Convolution], labels: Path, precision: Precision) -> None:
        super().__init__()
        self._network = Network(layers, precision)
        self.labels = tf.saved_model.Asset(str(labels))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "input_tensor")])  # type: ignore[untyped-decorator]
    def detect(self, input_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return boxes [batch, MOST, 4], scores and classes [batch, MOST], and their number [batch]."""
        return self._network(input_tensor)


def save(detector: Detector, folder: Path) -> None:
    """Write the detector and its labels as a SavedModel."""
    tf.saved_model.save(detector, str(folder), signatures=detector.detect)
