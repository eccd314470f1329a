"""PyTorch models are trained in the restricted process, with the real PyTorch."""

import io
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parts import ROOT
from training.code.program import CodeError, joined
from training.code.supervise import StoppedError
from training.control.message import ControlMessage
from training.data.ranges import Range
from training.job import fitting
from training.job.outcome import Outcome
from training.job.samples import Kept
from training.job.settings import JobSettings

pytestmark = [pytest.mark.usefixtures("pytorch"), pytest.mark.timeout(900)]

MESSAGE = ControlMessage(3, (Range("digits", 0, 0, 1),), "RAW", {}, 0.1, 0.2)
SIZES = {"training": 280, "test": 80, "validation": 40}
IMPORTS = "from collections import OrderedDict"
CODE = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(OrderedDict(a=nn.Linear(64, 32), b=nn.ReLU(), c=nn.Linear(32, 10)))
    def forward(self, x):
        return self.layers(x)
    def loss_fn(self):
        return nn.CrossEntropyLoss()
    def optimizer(self):
        return torch.optim.Adam(self.parameters(), lr=0.01)
    def metrics(self):
        return {"loss": Loss(self.loss_fn()), "accuracy": Accuracy()}

model = Net()
"""
REGRESSION = """\
class Net(nn.Linear):
    def loss_fn(self): return nn.MSELoss()
    def optimizer(self): return torch.optim.SGD(self.parameters(), lr=0.0001)
    def metrics(self): return {"loss": Loss(self.loss_fn())}

model = Net(64, 1)
"""
PREDICT = """\
import sys, numpy as np, torch
state = torch.load(sys.argv[1], weights_only=True)
x = torch.from_numpy(np.load(sys.argv[2])).float()
hidden = torch.relu(x @ state["layers.a.weight"].T + state["layers.a.bias"])
print(*(hidden @ state["layers.c.weight"].T + state["layers.c.bias"]).argmax(1).tolist())
"""


class Reporter:
    """Keeps reports, and stops the training after some epochs."""

    def __init__(self, epochs: int = 0) -> None:
        self.stop = threading.Event()
        self.lengths = list[int]()
        self._epochs = epochs

    def progress(self, fields: dict[str, Any]) -> None:
        assert fields["state"] in ("training", "evaluating", "exporting")

    def metrics(self, fields: dict[str, Any]) -> None:
        self.lengths.append(len(fields["train_metrics"]["loss"]))
        if len(self.lengths) == self._epochs:
            self.stop.set()


class World:
    def __init__(self, folder: Path) -> None:
        self.kept = Kept(folder, "job")
        self.kept.prepare()
        random = np.random.default_rng(0)
        self.labels = random.integers(0, 10, 400).astype(np.uint8)
        self.pixels = random.integers(0, 4, (400, 64)).astype(np.uint8)
        self.pixels[np.arange(400), self.labels] = 16
        np.save(self.kept.data / "features.npy", self.pixels)
        np.save(self.kept.data / "labels.npy", self.labels[:, None])

    def fit(self, code: str, reporter: Reporter, epochs: int = 20, **more: Any) -> Outcome:
        self.kept.model.write_text(joined(IMPORTS, code))
        settings = JobSettings(
            bootstrap_servers="kafka:9092",
            result_url="http://training/results/7",
            result_id=7,
            deployment_id=3,
            batch=16,
            kwargs_fit={"max_epochs": epochs, "shuffle": True},
            framework="pth",
            seed=7,
            **{"conf_mat_config": True, **more},
        )
        given: Any = reporter
        return fitting.fit(
            settings, self.kept, MESSAGE, SIZES, stop=reporter.stop, reporter=given, most=2**30
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_stopped_training_continues_and_its_state_dict_predicts(world: World, tmp_path: Path) -> None:
    first = Reporter(epochs=2)
    with pytest.raises(StoppedError):
        world.fit(CODE, first)

    second = Reporter()
    found = world.fit(CODE, second)

    assert second.lengths[0] == first.lengths[-1] + 1
    assert second.lengths[-1] == len(found.train_metrics["accuracy"]) == 20
    assert found.val_metrics is not None
    assert found.test_metrics is not None
    assert len(found.val_metrics["loss"]) == 20
    accuracy = found.test_metrics["accuracy"][0]
    assert accuracy is not None
    assert accuracy >= 0.9
    assert found.matrix is not None
    assert sum(map(sum, found.matrix)) == SIZES["test"]
    assert found.program == (IMPORTS, CODE)
    np.save(tmp_path / "x.npy", world.pixels[280:360])
    command = [sys.executable, "-c", PREDICT, str(world.kept.work / "model.pth"), str(tmp_path / "x.npy")]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    predicted = np.loadtxt(io.StringIO(said), dtype=int)
    assert np.mean(predicted == world.labels[280:360]) == pytest.approx(accuracy)


def test_a_regression_has_no_matrix(world: World) -> None:
    found = world.fit(REGRESSION, Reporter(), epochs=2)

    assert found.matrix is None
    assert found.test_metrics is not None
    assert found.test_metrics.keys() == {"loss"}


def test_samples_from_the_disk_give_a_model_too(world: World) -> None:
    found = world.fit(CODE, Reporter(), cachememory=0)

    assert found.test_metrics is not None
    accuracy = found.test_metrics["accuracy"][0]
    assert accuracy is not None
    assert accuracy >= 0.9


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("nn.Linear(64, 32)", "nn.Linear(60, 32)", "line 6 of the code: RuntimeError: .*; a sample has the"),
        ("nn.Linear(32, 10)", "nn.Linear(32, 5)", r"not numbers of classes: expected 0 to 4"),
        ("return self.layers(x)", "return open('/etc/shadow')", "line 6 of the code: PermissionError"),
    ],
    ids=["shape", "classes", "file"],
)
def test_what_does_not_suit_is_the_reason(world: World, before: str, after: str, reason: str) -> None:
    with pytest.raises(CodeError, match=reason):
        world.fit(CODE.replace(before, after), Reporter())
