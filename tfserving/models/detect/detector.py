"""The exported detector: JPEGs in, boxes, classes and scores of shapes out.

The signature is that of TensorFlow's object-detection models with encoded pictures. A picture is fitted into
a square; the network tells for each cell of a grid whether the middle of a shape lies there, of which class
it is, and how far the sides of its box are away (after CenterNet, https://arxiv.org/abs/1904.07850, and FCOS,
https://arxiv.org/abs/1904.01355).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tfserving.models.layers import Convolution
from tfserving.models.precision import Precision
from tfserving.runtime import tf

SIDE = 128  # pixels of the square the network looks at
CELL = 8  # pixels of a cell of the grid
GRID = SIDE // CELL
GREY = 127.0
CLASSES = 4
MOST = 20  # boxes an answer has room for
LEAST = 0.2  # score below which a box is not told
OVERLAP = 0.5  # of two boxes that overlap by more, only the likelier is told


@dataclass(frozen=True, slots=True)
class Layer:
    """The size of a convolution; the head's is neither normalised nor activated."""

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

    Of each cell: the logit of a shape, those of the classes, and the logarithms of the distances from its
    middle up, left, down and right to the sides of the box, in cells. `layer` applies the layer of a name.
    """
    # A shape is known by its edges whatever its colour: with them given, it is learned in far fewer steps.
    dy, dx = tf.unstack(tf.image.sobel_edges(x), axis=-1)
    x = tf.concat([x, tf.sqrt(tf.reduce_max(dy**2 + dx**2, axis=-1, keepdims=True) + 1e-4)], axis=-1)
    for name in ("half", "quarter", "eighth"):
        x = layer(name, x)
    y = layer("wide", x)
    y = layer("widest", layer("wider", y) + y)
    # What is seen from afar joins what is seen from near.
    y = tf.repeat(tf.repeat(layer("narrow", y), 2, axis=1), 2, axis=2)
    return layer("head", layer("joined", x + y))


def boxes(distances: tf.Tensor) -> tf.Tensor:
    """Return boxes [..., GRID, GRID, 4] as ymin, xmin, ymax, xmax in pixels of the square.

    `distances` are the last four numbers of a grid's cells.
    """
    middle = (tf.range(GRID, dtype=tf.float32) + 0.5) * CELL
    y, x = tf.meshgrid(middle, middle, indexing="ij")
    up, left, down, right = tf.unstack(tf.exp(tf.clip_by_value(distances, -4, 4)) * CELL, axis=-1)
    return tf.stack([y - up, x - left, y + down, x + right], axis=-1)


def fitted(jpeg: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Decode one JPEG into the square [SIDE, SIDE, 3], values 0..255; return also the [height, width] there.

    The picture keeps its proportions and lies at the top left; the rest of the square is grey.
    """
    pixels = tf.io.decode_jpeg(jpeg, channels=3)
    size = tf.cast(tf.shape(pixels)[:2], tf.float32)
    taken = tf.maximum(tf.cast(tf.round(size * SIDE / tf.reduce_max(size)), tf.int32), 1)
    small = tf.image.resize(pixels, taken, antialias=True)
    square = tf.image.pad_to_bounding_box(small - GREY, 0, 0, SIDE, SIDE) + GREY
    return square, tf.cast(taken, tf.float32)


def scaled(squares: tf.Tensor) -> tf.Tensor:
    """Return pictures with values 0..255 as the network takes them."""
    return (tf.cast(squares, tf.float32) - GREY) / 128


def peaks(cells: tf.Tensor) -> tf.Tensor:
    """Return the scores [batch, GRID, GRID, CLASSES] of a grid.

    A score is 0 where that of another class or of a neighbouring cell is higher.
    """
    # The geometric mean, as in FCOS: where both are fairly sure, the product would tell of a doubt.
    scores = tf.sqrt(tf.sigmoid(cells[..., :1]) * tf.nn.softmax(cells[..., 1:-4]))
    highest = tf.nn.max_pool2d(tf.reduce_max(scores, axis=-1, keepdims=True), 3, 1, "SAME")
    return tf.where(scores == highest, scores, 0)


class Network:
    """The trained network, from its layers by name, their kernels stored in a precision."""

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
        # Classes count from 1; where there is no box, all numbers are 0.
        return {
            "detection_boxes": found,
            "detection_scores": scores,
            "detection_classes": tf.where(scores > 0, classes + 1, 0),
            "num_detections": tf.cast(count, tf.float32),
        }


class Detector(tf.Module):  # type: ignore[misc] # tensorflow publishes no types
    """JPEG bytes to boxes, the decoding included."""

    def __init__(self, layers: Mapping[str, Convolution], labels: Path, precision: Precision) -> None:
        super().__init__()
        self._network = Network(layers, precision)
        self.labels = tf.saved_model.Asset(str(labels))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "input_tensor")])  # type: ignore[untyped-decorator]
    def detect(self, input_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return boxes [batch, MOST, 4], scores and classes [batch, MOST], and their number [batch]."""
        return self._network(input_tensor)


def save(detector: Detector, folder: Path) -> None:
    """Write the detector, and the labels beside it, as a SavedModel."""
    tf.saved_model.save(detector, str(folder), signatures=detector.detect)
