"""The layers that the networks consist of, with their values as constants of the graph."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from tfserving.models.precision import Precision, quantized
from tfserving.models.weights import FloatArray
from tfserving.runtime import tf

EPSILON = 1e-3

Activation = Literal["relu6", "relu", "none"]
Padding = Literal["SAME", "VALID"]


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution and its bias; the kernel is [height, width, inputs, outputs or 1]."""

    kernel: FloatArray
    bias: FloatArray
    stride: int = 1
    depthwise: bool = False
    activation: Activation = "none"
    padding: Padding = "SAME"
    precision: Precision = "float32"

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Convolve [batch, height, width, channels] and apply the activation."""
        strides = [1, self.stride, self.stride, 1]
        convolve = tf.nn.depthwise_conv2d if self.depthwise else tf.nn.conv2d
        kernel = widened(self.kernel, self.precision, channels=2 if self.depthwise else 3)
        x = tf.nn.bias_add(convolve(x, kernel, strides, self.padding), self.bias)
        if self.activation == "none":
            return x
        return tf.nn.relu6(x) if self.activation == "relu6" else tf.nn.relu(x)


class Norm(NamedTuple):
    """Batch normalisation: scale, shift, and moving averages, one value per channel."""

    gamma: FloatArray
    beta: FloatArray
    mean: FloatArray
    variance: FloatArray


def fold(kernel: FloatArray, norm: Norm) -> tuple[FloatArray, FloatArray]:
    """Return the kernel and bias of a convolution [..., outputs] that includes the normalisation after it.

    It computes the same function with a third of the operations.
    """
    scale = norm.gamma / np.sqrt(norm.variance + np.float32(EPSILON))
    return kernel * scale, norm.beta - norm.mean * scale


def widened(kernel: FloatArray, precision: Precision, channels: int = -1) -> tf.Tensor | FloatArray:
    """Return a float32 kernel to compute with; the graph stores it in the given precision.

    `channels` is the axis of the output channels. Call this while a graph is built: the conversion becomes
    part of the graph.
    """
    if precision == "float32":
        return kernel
    if precision == "float16":
        return tf.cast(tf.constant(kernel.astype(np.float16)), tf.float32)
    numbers, scales = quantized(kernel, channels)
    return tf.cast(tf.constant(numbers), tf.float32) * scales
