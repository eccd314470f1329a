"""Train the detector on generated pictures: the same pictures and steps in every run."""

from typing import Any

import numpy as np

from tfserving.models.detect import detector, shapes
from tfserving.models.detect.detector import CLASSES, LAYERS
from tfserving.models.detect.learning import Adam, flipped, loss, targets
from tfserving.models.layers import EPSILON, Convolution, Norm, fold
from tfserving.models.weights import FloatArray
from tfserving.progress import Say, slowly
from tfserving.runtime import tf

SEED = 1
PICTURES = 2000
ROUNDS = 4  # epochs: how often each picture is used
BATCH = 16
RATE = 4e-3  # the highest learning rate
KEPT = 0.95  # the share of a normalisation's moving averages that is kept in each step
SIDES = (96, 256)  # pixels, the range of a picture's longer side


class Trainee(tf.Module):  # type: ignore[misc] # tensorflow publishes no types
    """The detector's layers during training: kernels, and batch normalisations."""

    def __init__(self, random: np.random.Generator) -> None:
        super().__init__()
        self.kernels: dict[str, Any] = {}
        self.norms: dict[str, dict[str, Any]] = {}
        starts = {"gamma": 1.0, "beta": 0.0, "mean": 0.0, "variance": 1.0}
        for name, size in LAYERS.items():
            shape = (size.kernel, size.kernel, size.inputs, size.outputs)
            spread = np.sqrt(2 / (size.kernel**2 * size.inputs))
            self.kernels[name] = tf.Variable(random.normal(scale=spread, size=shape), dtype=tf.float32)
            if name != "head":
                self.norms[name] = {
                    part: tf.Variable(tf.fill([size.outputs], start), trainable=part in ("gamma", "beta"))
                    for part, start in starts.items()
                }
        # At first, a shape is unlikely in every cell, all classes are equally likely, and boxes are small.
        self.bias = tf.Variable([-3.0] + [0.0] * CLASSES + [0.5] * 4)

    def layer(self, name: str, x: tf.Tensor) -> tf.Tensor:
        """Apply a layer; a normalisation updates its moving averages."""
        x = tf.nn.conv2d(x, self.kernels[name], LAYERS[name].stride, "SAME")
        if name == "head":
            return x + self.bias
        norm = self.norms[name]
        mean, variance = tf.nn.moments(x, [0, 1, 2])
        norm["mean"].assign(KEPT * norm["mean"] + (1 - KEPT) * mean)
        norm["variance"].assign(KEPT * norm["variance"] + (1 - KEPT) * variance)
        x = tf.nn.batch_normalization(x, mean, variance, norm["beta"], norm["gamma"], EPSILON)
        return tf.nn.relu(x)

    def layers(self) -> dict[str, Convolution]:
        """Return the layers for export, with the normalisations folded in."""
        head = Convolution(self.kernels["head"].numpy(), self.bias.numpy())
        folded = {
            name: Convolution(
                *fold(
                    self.kernels[name].numpy(), Norm(**{part: norm[part].numpy() for part in Norm._fields})
                ),
                LAYERS[name].stride,
                activation="relu",
            )
            for name, norm in self.norms.items()
        }
        return {**folded, "head": head}


def train(pictures: int = PICTURES, rounds: int = ROUNDS, say: Say = print) -> dict[str, Convolution]:
    """Return the trained layers by name; `say` gets a line about every ten seconds."""
    random = np.random.default_rng(SEED)
    report = slowly(say)
    squares, wanted = examples(random, pictures, report)
    trainee = Trainee(random)
    batches = pictures // BATCH
    adam = Adam(trainee.trainable_variables, RATE, rounds * batches)

    @tf.function  # type: ignore[untyped-decorator]
    def learn(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            value = loss(detector.grid(detector.scaled(x), trainee.layer), y)
        adam.apply(tape.gradient(value, trainee.trainable_variables))
        return value

    for step in range(rounds * batches):
        if step % batches == 0:
            order = random.permutation(pictures)
        chosen = order[step % batches * BATCH :][:BATCH]
        down, across = random.random(2) < 0.5
        value = learn(*flipped(squares[chosen], wanted[chosen], down=down, across=across))
        report(f"training: step {step + 1} of {rounds * batches}, loss {value:.2f}")
    return trainee.layers()


def examples(random: np.random.Generator, count: int, report: Say) -> tuple[shapes.Pixels, FloatArray]:
    """Return pictures [count, SIDE, SIDE, 3], fitted for the network, and their target grids."""
    fitted = tf.function(detector.fitted, input_signature=[tf.TensorSpec([], tf.string)])
    squares, wanted = [], []
    for number in range(count):
        scene, jpeg = shapes.draw(random, *SIDES)
        square, taken = fitted(jpeg)
        squares.append(np.rint(square).astype(np.uint8))
        wanted.append(targets(scene, taken.numpy()))
        report(f"training: {number + 1} of {count} pictures drawn")
    return np.stack(squares), np.stack(wanted)
