"""The exported model: JPEGs in, ImageNet classes and their probabilities out."""

from collections.abc import Mapping
from pathlib import Path

from tfserving.models.imagenet.efficientnet import SIDE, EfficientNetLite0, picture
from tfserving.models.precision import Precision
from tfserving.models.weights import FloatArray
from tfserving.runtime import tf


class Classifier(tf.Module):  # type: ignore[misc] # tensorflow publishes no types
    """From JPEG bytes to classes, including decoding. Class 0 is background and never chosen."""

    def __init__(self, weights: Mapping[str, FloatArray], labels: Path, precision: Precision) -> None:
        super().__init__()
        self._network = EfficientNetLite0(weights, precision)
        self.labels = tf.saved_model.Asset(str(labels))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "image_bytes")])  # type: ignore[untyped-decorator]
    def classify(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return `classes` (int64 [batch]) and `probabilities` (float32 [batch, 1001]) of JPEGs."""
        spec = tf.TensorSpec([SIDE, SIDE, 3], tf.float32)
        probabilities = self._network(tf.map_fn(picture, image_bytes, fn_output_signature=spec))
        probabilities = tf.pad(probabilities, [[0, 0], [1, 0]])
        return {"classes": tf.argmax(probabilities, axis=1), "probabilities": probabilities}


def save(
    weights: Mapping[str, FloatArray], labels: Path, folder: Path, precision: Precision = "float32"
) -> None:
    """Write the classifier with these weights, and its labels, as a SavedModel."""
    module = Classifier(weights, labels, precision)
    # The weights are constants of the graph, so loading it restores no variables.
    tf.saved_model.save(module, str(folder), signatures=module.classify)
