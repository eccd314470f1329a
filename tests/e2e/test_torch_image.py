"""The image for PyTorch models, which is several GB and therefore only tested where it has been built."""

import json

import pytest

from tests.conftest import missing
from tests.e2e.conftest import works
from tests.e2e.containers import docker

IMAGE = "streamlens/training-torch"

# As in a pod: without rights, and with two folders that can be written.
POD = ("--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges")
FOLDERS = ("--tmpfs=/tmp", "--tmpfs=/work:mode=1777", "--env=HOME=/tmp", "--env=STATEFOLDER=/work")

TRAINS = """
import json, logging, threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from training.code.checking import build
from training.code.program import CodeError, Program
from training.control.message import ControlMessage
from training.data.ranges import Range
from training.job import fitting
from training.job.samples import Kept
from training.job.settings import JobSettings

CODE = '''\\
class Net(nn.Linear):
    def loss_fn(self): return nn.CrossEntropyLoss()
    def optimizer(self): return torch.optim.Adam(self.parameters(), lr=0.05)
    def metrics(self): return {"loss": Loss(self.loss_fn()), "accuracy": Accuracy()}

model = Net(8, 8)
'''
try:
    build(Program("pth", "", CODE.replace("Adam", "Madam")), Path("/work/wrong"))
except CodeError as error:
    wrong = str(error)
kept = Kept(Path("/work/jobs"), 7)
kept.prepare()
parameters = build(Program("pth", "", CODE), kept.model).parameters
labels = np.arange(400, dtype=np.uint8) % 8
np.save(kept.data / "features.npy", np.eye(8, dtype=np.uint8)[labels])
np.save(kept.data / "labels.npy", labels[:, None])
settings = JobSettings(
    bootstrap_servers="kafka:9092", result_url="http://training/results/7", result_id=7, deployment_id=3,
    batch=16, kwargs_fit={"max_epochs": 10, "shuffle": True}, framework="pth", seed=7,
)
found = fitting.fit(
    settings, kept, ControlMessage(3, (Range("eyes", 0, 0, 1),), "RAW", {}, 0.1, 0.2),
    {"training": 280, "test": 80, "validation": 40}, stop=threading.Event(),
    reporter=SimpleNamespace(progress=print, metrics=print), most=2**30,
)
print(json.dumps({"wrong": wrong, "parameters": parameters, "accuracy": found.test_metrics["accuracy"]}))
"""


@pytest.fixture
def image(engine: None) -> str:  # noqa: ARG001
    """The image, if somebody has built it."""
    if not works("docker", "image", "inspect", IMAGE):
        missing("torch-image", "make image-torch")
    return IMAGE


@pytest.mark.parametrize("module", ["training.job", "training.inference"])
def test_it_starts_trainings_and_inferences(image: str, module: str) -> None:
    """Without settings, they end with what is missing."""
    ends = f"python -m {module} 2>&1; echo $?"

    *lines, status = docker("run", "--rm", *POD, image, "sh", "-c", ends).splitlines()

    assert status == "2"
    assert lines
    assert all(line.startswith(f"{module}: ") for line in lines)


def test_it_checks_a_model_and_trains_it(image: str) -> None:
    *_, line = docker("run", "--rm", *POD, *FOLDERS, image, "python", "-c", TRAINS, timeout=300).splitlines()

    found = json.loads(line)
    assert found["parameters"] == 8 * 8 + 8
    assert "line 3" in found["wrong"]
    assert "Madam" in found["wrong"]
    assert found["accuracy"] == [1.0]
