"""Layers compute the same as TensorFlow's own."""

import numpy as np
import pytest

from tfserving.models.layers import EPSILON, Activation, Convolution, Norm, fold
from tfserving.runtime import tf


def test_a_folded_normalisation_equals_one_after_the_convolution() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(2, 6, 6, 3)).astype(np.float32)
    kernel = random.normal(size=(3, 3, 3, 5)).astype(np.float32)
    norm = Norm(*(random.uniform(0.5, 2, 5).astype(np.float32) for _ in Norm._fields))

    y = Convolution(*fold(kernel, norm))(tf.constant(x))

    plain = tf.nn.conv2d(x, kernel, 1, "SAME")
    expected = tf.nn.batch_normalization(plain, norm.mean, norm.variance, norm.beta, norm.gamma, EPSILON)
    assert np.allclose(y, expected, atol=1e-4)


@pytest.mark.parametrize(("activation", "low", "high"), [("none", -9, 9), ("relu", 0, 9), ("relu6", 0, 6)])
def test_a_layer_applies_its_activation(activation: Activation, low: float, high: float) -> None:
    layer = Convolution(np.ones((1, 1, 1, 1), np.float32), np.zeros(1, np.float32), activation=activation)

    y = layer(tf.constant([[[[-9.0], [9.0]]]])).numpy().ravel()

    assert y.tolist() == [low, high]


@pytest.mark.parametrize(("padding", "side"), [("SAME", 4), ("VALID", 3)])
def test_a_layer_strides_and_pads(padding: str, side: int) -> None:
    kernel, bias = np.ones((3, 3, 2, 1), np.float32), np.zeros(2, np.float32)
    layer = Convolution(kernel, bias, 2, depthwise=True, padding="SAME" if padding == "SAME" else "VALID")

    assert layer(tf.ones([1, 8, 8, 2])).shape == (1, side, side, 2)
