"""Exports a model for pictures with the signature that the pipeline asks: JPEGs in, classes out."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf


class Labeller(tf.Module):  # type: ignore[misc]
    """A model behind the decoding of JPEGs. Class 0 is the background; class 1 has the first label."""

    def __init__(self, model: Any, size: tuple[int, int]) -> None:
        super().__init__()
        self._model = model
        self._size = size
        self._shape = [-1, *(int(side) for side in model.inputs[0].shape[1:])]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "image_bytes")])  # type: ignore[untyped-decorator]
    def classify(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return `classes`, shape (n,), and `probabilities`, shape (n, labels + 1)."""
        spec = tf.TensorSpec((*self._size, 3), tf.float32)
        pixels = tf.map_fn(self._picture, image_bytes, fn_output_signature=spec)
        shares = self._model(tf.reshape(pixels, self._shape), training=False)
        probabilities = tf.pad(tf.cast(shares, tf.float32), [[0, 0], [1, 0]])
        return {"classes": tf.argmax(probabilities[:, 1:], 1) + 1, "probabilities": probabilities}

    def _picture(self, data: tf.Tensor) -> tf.Tensor:
        """Return the pixels as the model was trained on them: 0 to 255; red, green, blue."""
        decoded = tf.io.decode_jpeg(data, channels=3)
        sides = tf.shape(decoded)
        shrinks = tf.logical_or(sides[0] > self._size[0], sides[1] > self._size[1])
        pixels = tf.cond(
            shrinks,
            lambda: tf.image.resize(decoded[None], self._size, "area")[0],
            lambda: tf.image.resize(decoded, self._size, "bilinear"),
        )
        return tf.ensure_shape(tf.round(pixels), (*self._size, 3))


def can_label(model: Any, labels: Sequence[str]) -> bool:
    """Return whether a model gives each picture one number per label."""
    shape = model.outputs[0].shape
    return len(shape) == 2 and shape[1] == len(labels)


def export(model: Any, size: tuple[int, int], labels: Sequence[str], folder: Path) -> None:
    """Write the SavedModel, and its labels beside it."""
    labeller = Labeller(model, size)
    tf.saved_model.save(labeller, str(folder), signatures=labeller.classify)
    (folder / "labels.json").write_text(json.dumps(list(labels), ensure_ascii=False))
