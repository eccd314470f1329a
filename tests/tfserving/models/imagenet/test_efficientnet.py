"""The network is the published one: sizes, folded normalisation, and the square that it sees."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from tfserving.models import weights
from tfserving.models.imagenet.efficientnet import SIDE, EfficientNetLite0, picture
from tfserving.models.layers import EPSILON
from tfserving.models.weights import FloatArray
from tfserving.runtime import tf


@pytest.fixture(scope="module")
def tensors() -> dict[str, FloatArray]:
    return weights.read(weights.locate())


@pytest.fixture(scope="module")
def network(tensors: dict[str, FloatArray]) -> EfficientNetLite0:
    return EfficientNetLite0(tensors)


def jpeg(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()


def test_all_weights_are_used(tensors: dict[str, FloatArray], network: EfficientNetLite0) -> None:
    layers = [network.stem, network.head, *(layer for block, _ in network.blocks for layer in block)]

    folded = sum(layer.kernel.size + layer.bias.size for layer in layers)

    # Each normalisation's four numbers per channel become one bias.
    norms = sum(tensor.size for name, tensor in tensors.items() if name.endswith("running_mean"))
    kept = network.kernel.size + network.bias.size
    assert folded + kept + 3 * norms == sum(tensor.size for tensor in tensors.values())


def test_the_blocks_have_the_published_sizes(network: EfficientNetLite0) -> None:
    outputs = [block[-1].bias.size for block, _ in network.blocks]
    kernels = [block[-2].kernel.shape[0] for block, _ in network.blocks]
    strides = [block[-2].stride for block, _ in network.blocks]

    assert outputs == [16, 24, 24, 40, 40, 80, 80, 80, 112, 112, 112, 192, 192, 192, 192, 320]
    assert kernels == [3, 3, 3, 5, 5, 3, 3, 3, 5, 5, 5, 5, 5, 5, 5, 3]
    assert strides == [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]


def test_a_folded_layer_is_a_convolution_with_its_normalisation(
    tensors: dict[str, FloatArray], network: EfficientNetLite0
) -> None:
    x = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype(np.float32)
    kernel = tensors["_conv_stem.weight"].transpose(2, 3, 1, 0)
    normalised = tf.nn.batch_normalization(
        tf.nn.conv2d(x, kernel, 2, "SAME"),
        *(tensors[f"_bn0.{part}"] for part in ("running_mean", "running_var", "bias", "weight")),
        EPSILON,
    )

    y = network.stem(tf.constant(x))

    assert np.allclose(y, np.clip(normalised, 0, 6), atol=1e-4)


def test_probabilities_add_up(network: EfficientNetLite0) -> None:
    x = tf.random.stateless_uniform([2, SIDE, SIDE, 3], [1, 2], -1, 1)

    probabilities = network(x).numpy()

    assert probabilities.shape == (2, 1000)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(256, 256), (256, 400), (720, 1280), (1, 1), (5, 900)])
def test_a_picture_of_any_size_becomes_the_square(height: int, width: int) -> None:
    pixels = np.full((height, width, 3), 255, np.uint8)

    square = picture(tf.constant(jpeg(pixels))).numpy()

    assert square.shape == (SIDE, SIDE, 3)
    assert np.allclose(square, 1, atol=0.02)


def test_the_middle_square_is_cut_without_a_margin() -> None:
    pixels = np.zeros((256, 512, 3), np.uint8)
    pixels[16:240, 144:368] = 255

    square = picture(tf.constant(jpeg(pixels))).numpy()

    # Compression blurs the edge by a pixel or two.
    assert (square[4:-4, 4:-4] > 0.9).all()


def test_a_scaled_square_is_that_of_another_library() -> None:
    noise = np.random.default_rng(0).normal(size=(512, 512, 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), 4)
    pixels = np.clip(smooth / smooth.std() * 40 + 128, 0, 255).astype(np.uint8)

    square = picture(tf.constant(jpeg(pixels))).numpy() * 128 + 127

    errors = []
    for shift in (0, 2):
        cut = np.ascontiguousarray(pixels[32 + shift : 480 + shift, 32:480, ::-1])
        expected = cv2.resize(cut, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        errors.append(np.abs(square - expected).mean())
    assert errors[0] < 3 < errors[1]


def test_a_grey_picture_has_three_equal_channels() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (300, 300), np.uint8)

    square = picture(tf.constant(jpeg(pixels))).numpy()

    assert (square[..., :1] == square).all()


def test_the_clips_are_recognised(network: EfficientNetLite0, frames: Callable[..., list[bytes]]) -> None:
    pictures = tf.stack([picture(tf.constant(data)) for data in frames("carphone_pristine", step=20)])

    probabilities = network(pictures).numpy()

    assert set(probabilities.argmax(axis=1)) == {906}
    assert probabilities.max(axis=1).mean() > 0.4
