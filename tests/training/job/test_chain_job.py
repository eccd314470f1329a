"""The job of a chain: its settings, its steps, and what each result gets; the training is a stand-in."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from pydantic import ValidationError

from tests.training.job.fakes import FakeService, form_parts
from tests.training.job.test_job import MESSAGE
from training.code.program import CodeError
from training.code.supervise import StoppedError
from training.data.samples import Samples
from training.job import __main__ as module
from training.job import chain_job, control, fitting
from training.job import job as steps
from training.job.chain_job import ChainJob
from training.job.chain_outcome import of_part, outcomes
from training.job.chain_service import ChainService
from training.job.chain_settings import ChainSettings
from training.job.service import Service
from training.versions.store import metadata

HISTORY = {
    "train_metrics": {"loss": [3.0], "part_0_loss": [1.0], "part_1_loss": [2.0], "part_10_loss": [9.0]},
    "val_metrics": None,
}
FOUND = {
    **HISTORY,
    "test_metrics": {"loss": [3.0], "part_0_accuracy": [0.5], "part_1_accuracy": [0.75]},
    "training_time": 2.5,
    "confusion_matrix": [[[1, 0], [0, 1]], None],
    "program": [["i", "edge"], ["i", "cloud"]],
}


class World:
    """What surrounds the job: a service for all results, Kafka, and the restricted process."""

    def __init__(self, folder: Path, fake: FakeService) -> None:
        self.folder = folder
        self.fake = fake
        self.stop = threading.Event()
        self.request: dict[str, Any] = {}
        self.error: Exception | None = None
        self.reports: list[dict[str, Any]] = [{"metrics": HISTORY, "epoch": 1, "epochs": 2}]
        self.reads = 0

    def settings(self, **more: Any) -> ChainSettings:
        base = self.fake.url.rsplit("/", 1)[0]
        given = {
            "bootstrap_servers": "kafka:9092",
            "result_url": repr([f"{base}/7", f"{base}/6"]),
            "result_id": "[7, 6]",
            "model_name": "['edge', 'cloud']",
            "deployment_id": 3,
            "batch": 4,
            "case": 3,
            "kwargs_fit": '{"epochs": 2}',
            "metrics": "accuracy, sparse_categorical_accuracy",
            "learning_rate": "0.01",
            "modelstore": self.folder / "models",
            "jobfolder": self.folder / "jobs",
            **more,
        }
        return ChainSettings(**given)

    def run(self, **more: Any) -> int:
        settings = self.settings(**more)
        services = [Service(url, self.stop, pause=0.01) for url in settings.urls]
        return ChainJob(settings, ChainService(services), self.stop).run()

    def read(self, *_: Any, **__: Any) -> Samples:
        self.reads += 1
        return Samples(np.zeros((10, 2), np.uint8), np.zeros(10, np.uint8))

    def train(self, task: str, request: dict[str, Any], **options: Any) -> Any:
        assert task == "training.job.child.chain_fit"
        self.request = request
        for report in self.reports:
            options["on_progress"](report)
        if self.error is not None:
            raise self.error
        for number in range(2):
            (options["folder"] / f"model-{number}.h5").write_bytes(b"trained %d" % number)
            (options["folder"] / f"exported-{number}").mkdir()
            (options["folder"] / f"exported-{number}/saved_model.pb").write_bytes(b"saved %d" % number)
        return FOUND

    def upload(self, result: int) -> dict[str, Any]:
        path = f"/results/{result}"
        ((headers, body),) = [
            (head, body) for _, found, head, body in self.fake.requests if found == path and body
        ]
        return form_parts(headers, body)

    def said(self, result: int) -> list[dict[str, Any]]:
        return [json.loads(each) for each in self.fake.sent(f"/results/{result}/progress")]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    fake = FakeService()
    world = World(tmp_path, fake)
    monkeypatch.setattr(control, "wait", lambda *_, **__: MESSAGE)
    monkeypatch.setattr(steps, "read", world.read)
    monkeypatch.setattr(chain_job, "run", world.train)
    monkeypatch.setattr(fitting, "lacking", lambda _: [])
    yield world
    fake.close()


def test_each_result_gets_its_own_model_curves_and_version(world: World) -> None:
    assert world.run() == 0

    assert [path for method, path, *_ in world.fake.requests if method == "GET"] == [
        "/results/7",
        "/results/6",
    ]
    for number, (result, name) in enumerate({7: "edge", 6: "cloud"}.items()):
        parts = world.upload(result)
        assert parts["trained_model"].get_filename() == "model.h5"
        assert parts["trained_model"].get_payload(decode=True) == b"trained %d" % number
        assert ("confussion_matrix" in parts) == (number == 0)
        data = json.loads(parts["data"].get_payload(decode=True))
        assert data["train_metrics"] == {"loss": [1.0 + number]}
        assert data["test_metrics"] == {"accuracy": [0.5 + number / 4]}
        version = world.folder / f"models/{name}/candidates/1"
        assert (version / "saved_model.pb").read_bytes() == b"saved %d" % number
        assert metadata(version).items() >= {"result": result, "model": name, "code": name}.items()
        (form,) = world.fake.sent(f"/results_metrics/{result}")
        assert json.loads(parse_qs(form.decode())["data"][0])["train_metrics"] == {"loss": [1.0 + number]}
        assert {"state": "training", "epoch": 1, "epochs": 2} in world.said(result)
    assert list((world.folder / "jobs").iterdir()) == []


def test_the_process_gets_how_the_deployment_trains(world: World) -> None:
    world.run(loss_weights="[1, 0.5]", optimizer="sgd", loss="mse")

    found = world.request
    assert found["models"] == [str(Path(found["data"]) / name) for name in ("model.h5", "model-1.h5")]
    assert (found["names"], found["optimizer"], found["learning_rate"]) == (["edge", "cloud"], "sgd", 0.01)
    assert (found["loss"], found["loss_weights"]) == ("mse", [1, 0.5])
    assert found["metrics"] == ["accuracy", "sparse_categorical_accuracy"]
    assert found["fit"] == {"epochs": 2}


def test_a_failure_is_that_of_each_part(world: World) -> None:
    world.error = CodeError("the first output of edge has the shape 7, but the input of cloud has 8")

    assert world.run() == 0

    for result in (7, 6):
        last = world.said(result)[-1]
        assert (last["state"], last["reason"]) == ("failed", str(world.error))


def test_a_stopped_job_continues(world: World) -> None:
    world.error = StoppedError()
    assert world.run() == 143

    world.error = None
    assert world.run() == 0

    assert world.reads == 1
    assert world.upload(6)["trained_model"].get_payload(decode=True) == b"trained 1"


def test_a_model_store_that_cannot_be_written_is_named(world: World) -> None:
    (world.folder / "models").write_text("not a folder")

    assert world.run() == 0

    assert "trained_model" in world.upload(6)
    assert "edge was trained, but could not be put into the model store" in world.said(7)[-1]["reason"]


def test_without_a_model_store_the_service_adds_each_version(world: World) -> None:
    assert world.run(modelstore=None) == 0

    assert [len(world.fake.sent(f"/results/{result}/version")) for result in (7, 6)] == [1, 1]


@pytest.mark.parametrize(
    "metrics",
    [
        {"train_metrics": {}},
        {"train_metrics": [], "val_metrics": None},
        {"train_metrics": {"part_0_a": 1}, "val_metrics": None},
    ],
    ids=["lacks", "list", "number"],
)
def test_reports_that_are_none_end_the_job(world: World, metrics: dict[str, Any]) -> None:
    world.reports = [{"metrics": metrics}]

    assert world.run() == 0

    assert "it wrote into the report" in world.said(7)[-1]["reason"]


def test_names_are_exact() -> None:
    metrics = {"part_1_loss": [1], "part_10_loss": [2], "part_1_part_0_x": [3], "loss": [4]}

    assert of_part(metrics, 1, 11) == {"loss": [1], "part_0_x": [3]}
    assert of_part(metrics, 10, 11) == {"loss": [2]}
    assert of_part(metrics, 0, 11) == {}
    assert of_part(None, 0, 1) is None
    assert of_part({"loss": [4]}, 0, 1) == {"loss": [4]}


@pytest.mark.parametrize(
    "change",
    [lambda found: found.pop("program"), lambda found: found.update(program=[["i", "c"]])],
    ids=["lacks", "few"],
)
def test_an_outcome_that_is_none(change: Callable[[dict[str, Any]], object]) -> None:
    wrong = dict(FOUND)
    change(wrong)

    with pytest.raises(CodeError, match="it wrote into the report"):
        outcomes(wrong, 2)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"result_url": "http://t/results/1"}, "expected a list as Python writes it"),
        ({"result_url": "['http://t/1']"}, "expected URLs such as"),
        ({"result_url": "['http://t/results/1', 2]"}, "expected URLs such as"),
        ({"result_url": "[]"}, "expected a list as Python writes it"),
        ({"result_id": "__import__('os')"}, "expected a list as Python writes it"),
        ({"result_id": "[6, 7]"}, "RESULT_ID: expected the numbers in RESULT_URL"),
        ({"model_name": "['edge', 3]"}, "expected names of models"),
        ({"model_name": "['edge']"}, "MODEL_NAME: expected 2 items, as RESULT_URL has, found 1"),
        ({"loss_weights": "[1]"}, "LOSS_WEIGHTS: expected 2 items"),
        ({"loss_weights": "1, 2"}, "expected numbers as JSON"),
        ({"learning_rate": "0"}, "greater than 0"),
        ({"unsupervised": "True"}, "UNSUPERVISED: a chain is trained on labelled samples only"),
    ],
)
def test_settings_that_cannot_be(world: World, fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason.replace("[", r"\[")):
        world.settings(**fields)


def test_the_parts_have_the_same_weight_by_default(world: World) -> None:
    settings = world.settings()

    assert (settings.result_id, settings.ids, settings.names) == (7, [7, 6], ["edge", "cloud"])
    assert settings.weights == [1.0, 1.0]


def test_the_command_trains_a_chain(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.signal, "signal", lambda *_: None)

    assert module.serve(world.settings()) == 0

    assert "trained_model" in world.upload(6)
