"""The exported emotion model: grey faces in, the probabilities of seven emotions out.

The network is a small Xception ("mini-Xception", Arriaga et al., https://arxiv.org/abs/1710.07557), with the
sizes and the names of the layers in the weights file.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tfserving.models.layers import Activation, Convolution, Norm, Padding, fold
from tfserving.models.precision import Precision
from tfserving.models.weights import FloatArray, WeightsError
from tfserving.runtime import tf

SIDE = 64  # pixels of the square that a face is scaled to
_MODULES = 4


class MiniXception:
    """The network, built from the tensors of the weights file; raises WeightsError if one is missing."""

    def __init__(self, weights: Mapping[str, FloatArray], precision: Precision = "float32") -> None:
        self._weights = weights
        self._precision = precision
        try:
            self.stem = [self._convolution(f"conv2d_{n}", n, padding="VALID") for n in (1, 2)]
            self.modules = [self._module(number) for number in range(_MODULES)]
            kernel, bias = weights["conv2d_7/kernel"], weights["conv2d_7/bias"]
        except KeyError as error:
            raise WeightsError(f"the weights of the emotion model lack the tensor {error}") from error
        self.head = Convolution(kernel, bias, precision=precision)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Return the probabilities [batch, 7] of faces [batch, 64, 64, 1] with values -1..1."""
        for layer in self.stem:
            x = layer(x)
        for shortcut, layers in self.modules:
            y = x
            for layer in layers:
                y = layer(y)
            x = shortcut(x) + tf.nn.max_pool2d(y, 3, 2, "SAME")
        return tf.nn.softmax(tf.reduce_mean(self.head(x), axis=[1, 2]))

    def _module(self, number: int) -> tuple[Convolution, list[Convolution]]:
        norm, separable = 3 * number + 3, 2 * number + 1
        shortcut = self._convolution(f"conv2d_{number + 3}", norm, stride=2, activation="none")
        layers = [
            *self._separable(separable, norm + 1, "relu"),
            *self._separable(separable + 1, norm + 2, "none"),
        ]
        return shortcut, layers

    def _separable(self, number: int, norm: int, activation: Activation) -> list[Convolution]:
        name = f"separable_conv2d_{number}"
        kernel = self._weights[f"{name}/depthwise_kernel"]
        bias = np.zeros(kernel.shape[2], np.float32)
        depthwise = Convolution(kernel, bias, depthwise=True, precision=self._precision)
        pointwise = self._convolution(name, norm, kernel="pointwise_kernel", activation=activation)
        return [depthwise, pointwise]

    def _convolution(
        self,
        name: str,
        norm: int,
        *,
        kernel: str = "kernel",
        stride: int = 1,
        activation: Activation = "relu",
        padding: Padding = "SAME",
    ) -> Convolution:
        parts = ("gamma", "beta", "moving_mean", "moving_variance")
        batch_norm = Norm(*(self._weights[f"batch_normalization_{norm}/{part}"] for part in parts))
        folded, bias = fold(self._weights[f"{name}/{kernel}"], batch_norm)
        return Convolution(
            folded, bias, stride, activation=activation, padding=padding, precision=self._precision
        )


class Emotions(tf.Module):  # type: ignore[misc] # tensorflow publishes no types
    """From grey faces to the probabilities of the emotions, in the order of the labels."""

    def __init__(self, weights: Mapping[str, FloatArray], labels: Path, precision: Precision) -> None:
        super().__init__()
        self._network = MiniXception(weights, precision)
        self.labels = tf.saved_model.Asset(str(labels))

    @tf.function(input_signature=[tf.TensorSpec([None, SIDE, SIDE, 1], tf.float32, "images")])  # type: ignore[untyped-decorator]
    def recognise(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the `probabilities` (float32 [batch, 7]) of faces with grey values 0..1."""
        return {"probabilities": self._network(images * 2 - 1)}


def save(
    weights: Mapping[str, FloatArray], labels: Path, folder: Path, precision: Precision = "float32"
) -> None:
    """Write the model with these weights, and its labels, as a SavedModel.

    Raises WeightsError if the weights belong to another network.
    """
    module = Emotions(weights, labels, precision)
    tf.saved_model.save(module, str(folder), signatures=module.recognise)
