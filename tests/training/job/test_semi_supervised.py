"""Trainings on digits of which only a few have labels, with a real Kafka; the service is a stand-in."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tests.parts import ROOT, wait_for
from tests.training.job.fakes import FakeService
from tests.training.soak import Soak
from training.client import RawSink
from training.code import Program, build
from training.code.program import joined
from training.example.digits import digits

pytestmark = pytest.mark.timeout(900)
_SOON = 300.0  # s: each job starts TensorFlow
LABELLED, ALL = 60, 1500
EPOCHS = 50
KERAS = """\
model = keras.Sequential([
    keras.Input((64,)), keras.layers.Rescaling(1 / 16), keras.layers.Dense(64, "relu"),
    keras.layers.Dense(10, "softmax"),
])
model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
"""
TORCH = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    def forward(self, x):
        return self.layers(x / 16)
    def loss_fn(self):
        return nn.CrossEntropyLoss()
    def optimizer(self):
        return torch.optim.Adam(self.parameters(), lr=0.005)
    def metrics(self):
        return {"loss": Loss(self.loss_fn()), "accuracy": Accuracy()}

model = Net()
"""
ACCURACY = """\
import sys, keras, numpy as np
data = np.load(sys.argv[1])
for file in sys.argv[2:]:
    model = keras.models.load_model(file)
    print(float(np.mean(model.predict(data["x"], verbose=0).argmax(1) == data["y"])))
"""


@pytest.fixture
def fake() -> Iterator[FakeService]:
    fake = FakeService()
    yield fake
    fake.close()


def samples() -> tuple[Any, Any]:
    found = digits()
    pixels = np.array([np.frombuffer(each.pixels, np.uint8) for each in found])
    return pixels, np.array([each.label for each in found], np.uint8)


def trained(world: Soak, **more: Any) -> dict[str, Any]:
    """Send digits, of which few have labels; run the job to its end; return its upload."""
    pixels, labels = samples()
    with RawSink(
        world.bootstrap,
        world.topic,
        3,
        control_topic=world.control,
        unsupervised_topic=f"{world.topic}-more",
        **more,
    ) as sink:
        for picture, label in zip(pixels[:LABELLED], labels[:LABELLED], strict=True):
            sink.send(picture, label)
        for picture in pixels[LABELLED:ALL]:
            sink.send_unlabelled(picture)
    with world.job() as job:
        process = psutil.Process(job.pid)
        wait_for(lambda: process.status() == psutil.STATUS_ZOMBIE, _SOON, "the end of the job")
        assert job.stop() == 0, job.text[-4000:]
    (upload,) = world.uploads() or pytest.fail(str(world.reports()[-1]))
    world.fake.requests.clear()
    data: dict[str, Any] = json.loads(upload["data"].get_payload(decode=True))
    return {**data, "model": upload["trained_model"].get_payload(decode=True)}


def world_of(bootstrap: str, fake: FakeService, folder: Path, **more: str) -> Soak:
    folder.mkdir()
    world = Soak(
        bootstrap, folder, fake, **{"CASE": "1", "KWARGS_FIT": json.dumps({"epochs": EPOCHS}), **more}
    )
    build(Program("tf", "", KERAS), folder / "digits.h5")
    fake.model = (folder / "digits.h5").read_bytes()
    return world


def test_unlabelled_samples_improve_a_model_without_a_validation(
    kafka_bootstrap: str, fake: FakeService, tmp_path: Path
) -> None:
    alone = trained(world_of(kafka_bootstrap, fake, tmp_path / "alone"))
    world = world_of(
        kafka_bootstrap,
        fake,
        tmp_path / "more",
        UNSUPERVISED="True",
        UNSUPERVISED_ROUNDS="3",
        CONFIDENCE="0.9",
    )
    more = trained(world)

    rounds = more["progress"]["rounds"]
    assert "progress" not in alone
    assert 1 <= len(rounds) <= 3
    assert rounds[0]["taken"] > 100
    assert [each["left"] for each in rounds] == sorted((each["left"] for each in rounds), reverse=True)
    assert sum(each["taken"] for each in rounds) + rounds[-1]["left"] == ALL - LABELLED
    assert all(each["metrics"].keys() == {"loss", "accuracy"} for each in rounds if each["taken"])
    took = sum(each["taken"] > 0 for each in rounds)
    assert len(more["train_metrics"]["loss"]) == EPOCHS * (1 + took)
    assert more["val_metrics"] is None
    first, second = _accuracies(tmp_path, alone["model"], more["model"])
    assert second > first


def test_unlabelled_samples_of_another_shape_are_refused(
    kafka_bootstrap: str, fake: FakeService, tmp_path: Path
) -> None:
    world = world_of(kafka_bootstrap, fake, tmp_path / "more", UNSUPERVISED="True")
    with RawSink(
        world.bootstrap, world.topic, 3, control_topic=world.control, unsupervised_topic=f"{world.topic}-more"
    ) as sink:
        sink.send(np.zeros(64, np.uint8), np.uint8(1))
        sink._write_unlabelled(b"\0" * 65)
    with world.job() as job:
        process = psutil.Process(job.pid)
        wait_for(lambda: process.status() == psutil.STATUS_ZOMBIE, _SOON, "the end of the job")

    assert world.reports()[-1]["state"] == "failed"
    assert "offset 0: value: 65 bytes, expected 64" in world.reports()[-1]["reason"]


def test_an_endless_stream_of_unlabelled_samples_is_trained_on(
    kafka_bootstrap: str, fake: FakeService, tmp_path: Path
) -> None:
    world = world_of(kafka_bootstrap, fake, tmp_path / "online", CASE="2", UNSUPERVISED="True")

    found = trained(world, online=True, validation_rate=0.2)

    progress = found["progress"]
    assert progress["mini_batches"] >= 2
    assert progress["read"] == progress["used"] + sum(progress["dropped"].values()) == ALL
    assert progress["used"] > LABELLED
    assert progress["dropped"].keys() == {"confidence"}
    assert len(found["val_metrics"]["accuracy"]) == len(found["train_metrics"]["loss"])


@pytest.mark.usefixtures("pytorch")
@pytest.mark.parametrize("case", ["1", "2"], ids=["rounds", "stream"])
def test_pytorch_models_are_trained_in_both_ways(
    kafka_bootstrap: str, fake: FakeService, tmp_path: Path, case: str
) -> None:
    world = world_of(
        kafka_bootstrap,
        fake,
        tmp_path / "torch",
        CASE=case,
        FRAMEWORK="pth",
        KWARGS_FIT=json.dumps({"max_epochs": EPOCHS}),
        UNSUPERVISED="True",
    )
    fake.model = joined("", TORCH).encode()

    found = trained(world, online=case == "2")

    if case == "1":
        assert found["progress"]["rounds"][0]["taken"] > 100
    else:
        assert found["progress"]["used"] > LABELLED
        assert found["progress"]["read"] == ALL
    assert found["train_metrics"]["accuracy"][-1] > 0.9


def _accuracies(folder: Path, *models: bytes) -> list[float]:
    """Return the accuracies of models on digits that none of them has seen."""
    pixels, labels = samples()
    np.savez(folder / "rest.npz", x=pixels[ALL:], y=labels[ALL:])
    files = []
    for number, model in enumerate(models):
        files.append(folder / f"{number}.h5")
        files[-1].write_bytes(model)
    command = [sys.executable, "-c", ACCURACY, str(folder / "rest.npz"), *map(str, files)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [float(line) for line in run.stdout.split()[-len(models) :]]
