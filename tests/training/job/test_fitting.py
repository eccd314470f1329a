"""What the restricted process is asked, and what becomes of its reports; the process is a stand-in."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training.code.limits import Limits
from training.code.program import CodeError
from training.control.message import ControlMessage
from training.data.ranges import Range
from training.job import fitting
from training.job.outcome import Outcome
from training.job.samples import Kept
from training.job.settings import JobSettings

MESSAGE = ControlMessage(3, (Range("digits", 0, 0, 10),), "RAW", {"data_type": "uint8"}, 0.2, 0.1)
PICTURES = ControlMessage(3, (Range("frames", 0, 0, 9),), "JPEG", {"labels": ["cat"], "size": [8, 8]})
SIZES = {"training": 7, "test": 1, "validation": 2}
FOUND = {
    "train_metrics": {"loss": [1.0]},
    "val_metrics": None,
    "test_metrics": {"loss": [0.5]},
    "training_time": 2.5,
    "confusion_matrix": None,
    "program": None,
}


class World:
    """The restricted process, and whoever hears of its progress."""

    def __init__(self, folder: Path) -> None:
        self.kept = Kept(folder, "job")
        self.stop = threading.Event()
        self.reports = list[dict[str, Any]]()
        self.task = ""
        self.request: dict[str, Any] = {}
        self.options: dict[str, Any] = {}
        self.sent = list[tuple[str, dict[str, Any]]]()

    def run(
        self,
        task: str,
        request: dict[str, Any],
        *,
        on_progress: Callable[[dict[str, Any]], None],
        **options: Any,
    ) -> Any:
        self.task, self.request, self.options = task, request, options
        for each in self.reports:
            on_progress(each)
        return FOUND

    def progress(self, fields: dict[str, Any]) -> None:
        self.sent.append(("progress", fields))

    def metrics(self, fields: dict[str, Any]) -> None:
        self.sent.append(("metrics", fields))

    def fit(self, message: ControlMessage = MESSAGE, **more: Any) -> Outcome:
        settings = JobSettings(
            **{
                "bootstrap_servers": "kafka:9092",
                "result_url": "http://training:8080/results/7",
                "result_id": 7,
                "deployment_id": 3,
                "batch": 4,
                "kwargs_fit": '{"epochs": 2}',
                "kwargs_val": '{"steps": 3}',
                "seed": 7,
                **more,
            }
        )
        return fitting.fit(
            settings,
            self.kept,
            message,
            SIZES,
            stop=self.stop,
            reporter=self,  # type: ignore[arg-type]
            most=1000,
        )


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    found = World(tmp_path)
    monkeypatch.setattr(fitting, "run", found.run)
    monkeypatch.setattr(fitting, "lacking", lambda _: [])
    for name in ("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    return found


def test_the_process_gets_what_it_needs_and_no_more(world: World) -> None:
    found = world.fit(cachememory=5, conf_mat_config="true")

    assert found.test_metrics == {"loss": [0.5]}
    assert world.task == "training.job.child.keras_fit"
    assert world.request == {
        "data": str(world.kept.data),
        "model": str(world.kept.model),
        "sizes": SIZES,
        "batch": 4,
        "fit": {"epochs": 2},
        "val": {"steps": 3},
        "matrix": True,
        "seed": 7,
        "memory": 5,
        "pictures": None,
    }
    assert world.options["folder"] == world.kept.work
    assert world.options["read"] == [world.kept.data]
    assert world.options["stop"] is world.stop
    assert world.options["environment"] == {}


def test_the_threads_that_compute_are_limited(world: World) -> None:
    world.fit(jobthreads=2)

    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    assert world.options["environment"] == dict.fromkeys(names, "2")


def test_pictures_have_their_labels_and_size(world: World) -> None:
    world.fit(PICTURES)

    assert world.request["pictures"] == {"labels": ["cat"], "size": [8, 8]}


def test_training_has_no_limit_on_time_and_the_memory_that_is_set(world: World) -> None:
    world.fit(jobmemory=2**30)
    limits: Limits = world.options["limits"]
    assert (limits.time, limits.memory, limits.folder) == (None, 2**30, 1000)

    world.fit()
    assert world.options["limits"].memory > 2**30 / 4, "all that this machine has"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, {}),
        ({"CUDA_VISIBLE_DEVICES": "1,2"}, {"CUDA_VISIBLE_DEVICES": "1,2"}),
        ({"NVIDIA_VISIBLE_DEVICES": "all"}, {"CUDA_VISIBLE_DEVICES": "0"}),
        ({"NVIDIA_VISIBLE_DEVICES": "void"}, {}),
        ({"NVIDIA_VISIBLE_DEVICES": "all", "CUDA_VISIBLE_DEVICES": ""}, {}),
    ],
    ids=["none", "given", "container", "void", "hidden"],
)
def test_the_process_sees_the_gpus_that_the_job_was_given(
    world: World, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    world.fit()

    assert world.options["environment"] == expected


def test_progress_and_metrics_are_reported(world: World) -> None:
    metrics = {"train_metrics": {"loss": [1.0]}, "val_metrics": None}
    world.reports = [
        {"state": "training", "epoch": 0, "epochs": 2},
        {"state": "training", "epoch": 1, "epochs": 2, "metrics": metrics},
        {"state": "exporting"},
    ]

    world.fit()

    (_, first), (_, second), (kind, sent), (_, last) = world.sent
    assert first == {"state": "training", "epoch": 0, "epochs": 2}
    assert second.pop("left_s") >= 0
    assert second == {"state": "training", "epoch": 1, "epochs": 2}
    assert (kind, sent) == ("metrics", metrics)
    assert last == {"state": "exporting"}


@pytest.mark.parametrize(
    "metrics",
    [{}, {"train_metrics": 1, "val_metrics": None}, {"train_metrics": {"loss": ["x"]}, "val_metrics": None}],
    ids=["none", "number", "text"],
)
def test_false_metrics_end_the_training(world: World, metrics: Any) -> None:
    world.reports = [{"state": "training", "metrics": metrics}]

    with pytest.raises(CodeError, match="it wrote into the report of its own process"):
        world.fit()


@pytest.mark.parametrize("arguments", ["{}", '{"epochs": 0}', '{"epochs": "5"}', '{"epochs": true}'])
def test_epochs_are_needed(world: World, arguments: str) -> None:
    with pytest.raises(ValueError, match="KWARGS_FIT: expected epochs, a whole number from 1, found"):
        world.fit(kwargs_fit=arguments)

    assert world.task == ""


def test_pytorch_has_its_own_task(world: World) -> None:
    world.fit(framework="pth", kwargs_fit='{"max_epochs": 2}')

    assert world.task == "training.job.child.torch_fit"
    with pytest.raises(
        ValueError, match="KWARGS_FIT: expected max_epochs, a whole number from 1, found None"
    ):
        world.fit(framework="pth")


def test_where_pytorch_is_not_installed_the_reason_says_how(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "lacking", lambda _: ["ignite"])

    with pytest.raises(CodeError, match="PyTorch is not installed here, it lacks ignite: pip install -r"):
        world.fit(framework="pth", kwargs_fit='{"max_epochs": 2}')
