"""EfficientNet-Lite0 as a graph from pictures to class probabilities.

The layers have the sizes of the published model, and their values come from `weights`. Each batch
normalisation is folded into the preceding convolution.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tfserving.models.jpeg import decoded
from tfserving.models.layers import Convolution, Norm, fold, widened
from tfserving.models.precision import Precision
from tfserving.models.weights import FloatArray
from tfserving.runtime import tf

SIDE = 224  # pixels, the side of the square that the network takes
MARGIN = 32  # pixels of the picture's shorter side that cropping removes, at the network's scale
MEAN, SCALE = 127.0, 128.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A series of equal blocks; only the first has a stride and changes the number of channels."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    outputs: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


class EfficientNetLite0:
    """The network, built once from the tensors of the weights file."""

    def __init__(self, weights: Mapping[str, FloatArray], precision: Precision = "float32") -> None:
        self._weights = weights
        self._precision = precision
        self.stem = self._convolution("_conv_stem", "_bn0", stride=2)
        self.blocks: list[tuple[list[Convolution], bool]] = []
        inputs = self.stem.bias.size
        for stage in STAGES:
            for repeat in range(stage.repeats):
                stride = stage.stride if repeat == 0 else 1
                skips = stride == 1 and inputs == stage.outputs
                self.blocks.append((self._block(len(self.blocks), stage, stride), skips))
                inputs = stage.outputs
        self.head = self._convolution("_conv_head", "_bn1")
        self.kernel = weights["_fc.weight"].T
        self.bias = weights["_fc.bias"]

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Return the probabilities [batch, 1000] of pictures [batch, 224, 224, 3] with values -1..1."""
        x = self.stem(x)
        for layers, skips in self.blocks:
            y = x
            for layer in layers:
                y = layer(y)
            x = x + y if skips else y
        x = tf.reduce_mean(self.head(x), axis=[1, 2])
        return tf.nn.softmax(tf.matmul(x, widened(self.kernel, self._precision)) + self.bias)

    def _block(self, number: int, stage: Stage, stride: int) -> list[Convolution]:
        name = f"_blocks.{number}."
        layers = []
        if stage.expand > 1:
            layers.append(self._convolution(f"{name}_expand_conv", f"{name}_bn0"))
        depthwise = self._convolution(f"{name}_depthwise_conv", f"{name}_bn1", stride=stride, depthwise=True)
        project = self._convolution(f"{name}_project_conv", f"{name}_bn2", bounded=False)
        return [*layers, depthwise, project]

    def _convolution(
        self, name: str, norm: str, *, stride: int = 1, depthwise: bool = False, bounded: bool = True
    ) -> Convolution:
        parts = (
            self._weights[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        # The file's order is [outputs, inputs, height, width].
        kernel, bias = fold(self._weights[f"{name}.weight"].transpose(2, 3, 1, 0), Norm(*parts))
        return Convolution(
            kernel.transpose(0, 1, 3, 2) if depthwise else kernel,
            bias,
            stride,
            depthwise,
            "relu6" if bounded else "none",
            precision=self._precision,
        )


def picture(jpeg: tf.Tensor) -> tf.Tensor:
    """Decode a JPEG (a string scalar) into [224, 224, 3]: its central square, scaled, values -1..1."""
    pixels = decoded(jpeg)
    height, width = tf.unstack(tf.shape(pixels)[:2])
    side = tf.maximum(tf.minimum(height, width) * SIDE // (SIDE + MARGIN), 1)
    top, left = (height - side + 1) // 2, (width - side + 1) // 2
    square = pixels[top : top + side, left : left + side]
    scaled = tf.image.resize(square, [SIDE, SIDE], tf.image.ResizeMethod.BICUBIC)
    return (scaled - MEAN) / SCALE
