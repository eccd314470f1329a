"""The tasks of federated training in the restricted process, with a real model."""

import threading
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from training.code import CodeError, Program, build
from training.data.ranges import Range
from training.data.samples import Samples, split
from training.federated import weights
from training.federated.held import Held
from training.federated.local import Local
from training.federated.messages import Round
from training.job.federated_model import Model
from training.job.samples import Kept
from training.job.settings import JobSettings

pytestmark = [pytest.mark.parts, pytest.mark.timeout(600)]

CODE: Final = """\
model = keras.Sequential([
    keras.Input((4,)), keras.layers.Dense(3), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5),
    keras.layers.Dense(2, "softmax"),
])
model.compile(keras.optimizers.SGD(1.0), "sparse_categorical_crossentropy", metrics=["accuracy"])
"""


@pytest.fixture
def untrained(tmp_path: Path) -> bytes:
    build(Program("tf", "", CODE), tmp_path / "untrained.h5")
    return (tmp_path / "untrained.h5").read_bytes()


def test_a_model_begins_is_trained_and_ends(untrained: bytes, tmp_path: Path) -> None:
    settings = JobSettings(
        bootstrap_servers="kafka:9092",
        result_url="http://training:8080/results/7",
        result_id=7,
        deployment_id=3,
        batch=4,
        kwargs_fit='{"epochs": 2}',
        seed=5,
    )
    stop = threading.Event()
    kept = Kept(tmp_path / "job", "job 1")
    kept.prepare()
    kept.model.write_bytes(untrained)
    model = Model(settings, kept, stop)

    begun = model.begin()

    # Kernel and bias; gamma, beta, mean and variance; kernel and bias.
    assert [each.shape for each in begun.weights] == [(4, 3), (3,), (3,), (3,), (3,), (3,), (3, 2), (2,)]
    assert begun.trained == [True, True, True, True, False, False, True, True]
    assert (begun.input_shape, begun.output_shape) == ((4,), (2,))

    held = Held(tmp_path / "client")
    random = np.random.default_rng(1)
    samples = Samples(random.random((20, 4)).astype(np.float32), random.integers(0, 2, 20).astype(np.uint8))
    sizes = held.save(split(samples, 0.2, 0, seed=0), samples)
    described, data = weights.pack(begun.weights)
    held.model.write_bytes(untrained)
    held.weights.write_bytes(data)
    given = _round(described, {"epochs": 2, "class_weight": {"0": 1.0, "1": 2.0}, "verbose": 1})
    trained = Local(0, 2**20, stop).train(held, given, sizes)

    arrays = weights.unpack(trained.weights, held.update.read_bytes())
    moved = [not np.array_equal(one, other) for one, other in zip(arrays, begun.weights, strict=True)]
    assert all(moved)
    assert set(trained.training) == set(trained.validation) == {"loss", "accuracy"}

    assert model.end(arrays) is not None
    assert (kept.work / "model.h5").stat().st_size > 0
    assert (kept.work / "exported/saved_model.pb").stat().st_size > 0


def test_weights_of_another_model_are_refused(untrained: bytes, tmp_path: Path) -> None:
    held = Held(tmp_path / "client")
    samples = Samples(np.zeros((20, 4), np.float32), np.zeros(20, np.uint8))
    sizes = held.save(split(samples, 0, 0, seed=0), samples)
    described, data = weights.pack([np.zeros(2, np.float32)])
    held.model.write_bytes(untrained)
    held.weights.write_bytes(data)

    with pytest.raises(CodeError, match="the weights are not those of the model"):
        Local(0, 2**20, threading.Event()).train(held, _round(described, {}), sizes)


def _round(described: weights.Described, arguments: dict[str, Any]) -> Round:
    place = Range("topic", 0, 0, 1)
    return Round(0, 2, place, described, place, weights.File(1, "0" * 64), 4, 1, arguments)
