"""How the restricted process is started, and what is passed on of its reports."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from training.code.program import CodeError
from training.control.message import ControlMessage
from training.data.ranges import Range
from training.job import fitting
from training.job.samples import Kept
from training.job.settings import JobSettings

CONFIG = {"data_type": "uint8", "data_reshape": "2", "label_type": "uint8", "label_reshape": "1"}
MESSAGE = ControlMessage(3, (Range("digits", 0, 0, 10),), "RAW", CONFIG, 0.2, 0.1)
METRICS = {"train_metrics": {"loss": [1.0]}, "val_metrics": None}
REPORTS: list[dict[str, Any]] = [
    {"state": "training"},
    {"state": "training", "epoch": 1, "epochs": 2, "metrics": METRICS},
]
DONE = {**METRICS, "test_metrics": None, "training_time": 1, "confusion_matrix": None, "program": None}


class World:
    """A restricted process that reports, and the job's reporter."""

    def __init__(self, folder: Path) -> None:
        self.kept = Kept(folder, 7)
        self.reports = REPORTS
        self.asked: Any = None
        self.progressed = list[dict[str, Any]]()
        self.reported = list[dict[str, Any]]()

    def run(self, task: str, request: Any, *, on_progress: Any, **options: Any) -> Any:
        self.asked = SimpleNamespace(task=task, request=request, **options)
        for each in self.reports:
            on_progress(each)
        return DONE

    def progress(self, fields: dict[str, Any]) -> None:
        self.progressed.append(fields)

    def metrics(self, fields: dict[str, Any]) -> None:
        self.reported.append(fields)

    def fit(self, message: ControlMessage = MESSAGE, **more: Any) -> Any:
        settings = JobSettings(
            **{
                "bootstrap_servers": "kafka:9092",
                "result_url": "http://training/results/7",
                "result_id": 7,
                "deployment_id": 3,
                "batch": 4,
                "kwargs_fit": '{"epochs": 2}',
                **more,
            }
        )
        sizes = {"training": 7, "test": 1, "validation": 2}
        reporter: Any = self
        return fitting.fit(
            settings, self.kept, message, sizes, stop=threading.Event(), reporter=reporter, most=100
        )


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path)
    monkeypatch.setattr(fitting, "run", world.run)
    monkeypatch.setattr(fitting, "lacking", lambda _: [])
    for name in ("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    return world


def test_reports_are_passed_on(world: World) -> None:
    found = world.fit(jobmemory="1000000")

    assert found.train_metrics == {"loss": [1.0]}
    assert [each["state"] for each in world.progressed] == ["training", "training"]
    assert world.reported == [METRICS]
    assert world.asked.task == "training.job.child.keras_fit"
    assert world.asked.limits.memory == 1_000_000
    assert (world.asked.read, world.asked.folder) == ([world.kept.data], world.kept.work)
    assert world.asked.request["fit"] == {"epochs": 2}
    assert world.asked.request["pictures"] is None
    assert world.asked.environment == {}


def test_pictures_have_labels(world: World) -> None:
    config = {"labels": ["a", "b"], "size": [8, 8]}

    world.fit(ControlMessage(3, (Range("p", 0, 0, 1),), "JPEG", config, 0, 0))

    assert world.asked.request["pictures"] == config
    assert world.asked.limits.memory > 10**8  # that of this machine


def test_metrics_that_the_code_has_written_are_refused(world: World) -> None:
    world.reports = [{"metrics": {"train_metrics": 5}}]

    with pytest.raises(CodeError, match="it wrote into the report"):
        world.fit()


def test_pytorch_has_its_own_task(world: World) -> None:
    world.fit(framework="pth", kwargs_fit='{"max_epochs": 2}')

    assert world.asked.task == "training.job.child.torch_fit"
    with pytest.raises(
        ValueError, match="KWARGS_FIT: expected max_epochs, a whole number from 1, found None"
    ):
        world.fit(framework="pth")


def test_where_pytorch_is_not_installed_the_reason_says_how(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "lacking", lambda _: ["ignite"])

    with pytest.raises(
        CodeError, match="PyTorch is not installed here, it lacks ignite: pip install -r training/torch"
    ):
        world.fit(framework="pth", kwargs_fit='{"max_epochs": 2}')


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"CUDA_VISIBLE_DEVICES": "1,2"}, {"CUDA_VISIBLE_DEVICES": "1,2"}),
        ({"NVIDIA_VISIBLE_DEVICES": "all"}, {"CUDA_VISIBLE_DEVICES": "0"}),
        ({"NVIDIA_VISIBLE_DEVICES": "void"}, {}),
    ],
    ids=["cuda", "nvidia", "none"],
)
def test_gpus_are_those_of_the_job(
    world: World, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    world.fit()

    assert world.asked.environment == expected
