"""The steps of a job, and what becomes of failures; the training itself is tested as a process."""

import io
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.job.fakes import FakeService, form_parts
from training.code.program import CodeError
from training.code.supervise import StoppedError
from training.control.message import ControlMessage
from training.data.errors import DataError
from training.data.ranges import Range
from training.data.samples import Samples
from training.job import control, fitting
from training.job import job as steps
from training.job.job import Job
from training.job.outcome import Outcome
from training.job.reporter import Reporter
from training.job.service import Service
from training.job.settings import JobSettings
from training.versions.archive import unpack
from training.versions.store import metadata

CONFIG = {"data_type": "uint8", "data_reshape": "2", "label_type": "uint8", "label_reshape": "1"}
MESSAGE = ControlMessage(3, (Range("digits", 0, 0, 10),), "RAW", CONFIG, 0.2, 0.1)
OUTCOME = Outcome({"loss": [1.0]}, None, {"loss": [0.5]}, 2.5, [[1, 0], [0, 1]], ("i", "c"))


class World:
    """What surrounds a job: the service, Kafka, and the restricted process, each of which may fail."""

    def __init__(self, folder: Path, fake: FakeService, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.patch = patch
        self.said = list[dict[str, Any]]()
        self.fake = fake
        self.stop = threading.Event()
        self.message = MESSAGE
        self.outcome = OUTCOME
        self.error: Exception | None = None
        self.reads = 0
        self.sizes: Any = None

    def settings(self, **more: Any) -> JobSettings:
        given = {
            "bootstrap_servers": "kafka:9092",
            "result_url": self.fake.url,
            "result_id": 7,
            "deployment_id": 3,
            "batch": 4,
            "kwargs_fit": '{"epochs": 2}',
            "model_name": "digits",
            "modelstore": self.folder / "models",
            "jobfolder": self.folder / "jobs",
            **more,
        }
        return JobSettings(**given)

    def run(self, **more: Any) -> int:
        return Job(self.settings(**more), Service(self.fake.url, self.stop, pause=0.01), self.stop).run()

    def wait(self, *_: Any, **__: Any) -> ControlMessage:
        return self.message

    def read(self, *_: Any, **__: Any) -> Samples:
        self.reads += 1
        if isinstance(self.error, DataError):
            raise self.error
        return Samples(np.zeros((10, 2), np.uint8), np.zeros(10, np.uint8))

    def fit(self, _: JobSettings, kept: Any, __: ControlMessage, sizes: Any, **___: Any) -> Outcome:
        self.sizes = sizes
        if self.error is not None:
            raise self.error
        for name in ("model.h5", "model.pth"):
            (kept.work / name).write_bytes(b"trained")
        (kept.work / "exported").mkdir()
        (kept.work / "exported/saved_model.pb").write_bytes(b"saved")
        return self.outcome

    def upload(self) -> dict[str, Any]:
        found = [
            (headers, body) for _, path, headers, body in self.fake.requests if path == "/results/7" and body
        ]
        assert len(found) == 1
        return form_parts(*found[0])

    def reason(self) -> str:
        last = json.loads(self.fake.sent("/results/7/progress")[-1])
        assert last["state"] == "failed"
        return str(last["reason"])


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    fake = FakeService()
    world = World(tmp_path, fake, monkeypatch)
    monkeypatch.setattr(control, "wait", world.wait)
    monkeypatch.setattr(fitting, "fit", world.fit)
    monkeypatch.setattr(steps, "read", world.read)
    yield world
    fake.close()


def test_a_model_is_uploaded_and_becomes_a_candidate(world: World) -> None:
    assert world.run() == 0

    parts = world.upload()
    assert parts["trained_model"].get_payload(decode=True) == b"trained"
    assert parts["confussion_matrix"].get_payload(decode=True).startswith(b"\x89PNG")
    assert json.loads(parts["data"].get_payload(decode=True))["confusion_matrix"] == [[1, 0], [0, 1]]
    version = world.folder / "models/digits/candidates/1"
    assert (version / "saved_model.pb").read_bytes() == b"saved"
    facts = metadata(version)
    assert (facts["offsets"], facts["code"], facts["result"]) == ("digits:0:0:10", "c", 7)
    assert facts["metrics"]["test_metrics"] == {"loss": [0.5]}
    assert world.sizes == {"training": 7, "test": 1, "validation": 2}
    assert list((world.folder / "jobs").iterdir()) == []


def test_a_regression_finishes_without_a_matrix(world: World) -> None:
    world.outcome = replace(OUTCOME, matrix=None)

    assert world.run(conf_mat_config="true") == 0

    assert set(world.upload()) == {"trained_model", "data"}


def test_a_version_may_be_served_at_once(world: World) -> None:
    assert world.run(autoserve="true") == 0

    assert (world.folder / "models/digits/1/saved_model.pb").exists()


@pytest.mark.parametrize(
    "error",
    [
        CodeError("line 3 of the code: ValueError: x"),
        DataError("digits:0:5: wrong"),
        OSError(28, "full", "/d"),
    ],
    ids=["code", "data", "disk"],
)
def test_a_failure_is_reported_with_its_reason(world: World, error: Exception) -> None:
    world.error = error

    assert world.run() == 0

    assert world.reason() == ("/d: full" if isinstance(error, OSError) else str(error))
    assert list((world.folder / "jobs").iterdir()) == []


def test_what_this_version_cannot_do_is_refused(world: World) -> None:
    assert world.run(case="4") == 0
    assert "CASE=4: expected 1, a single model; 2," in world.reason()

    world.message = replace(MESSAGE, ranges=(), stream="online")
    assert world.run() == 0
    assert "an endless stream" in world.reason()


@pytest.mark.parametrize("name", ["data_type", "label_type"])
@pytest.mark.parametrize("kind", ["string", "<U8", "|S3"])
def test_texts_are_refused_before_they_are_read(world: World, name: str, kind: str) -> None:
    world.message = replace(MESSAGE, input_config={**CONFIG, name: kind, f"{name[:-5]}_reshape": "1"})

    assert world.run() == 0

    assert world.reason() == f"{name}: training on texts does not exist in this version: send numbers"
    assert world.reads == 0


def test_a_model_that_cannot_be_stored_is_still_uploaded(world: World) -> None:
    (world.folder / "models").write_text("not a folder")

    assert world.run() == 0

    assert "trained_model" in world.upload()
    assert "could not be put into the model store" in world.reason()


def test_without_a_model_store_the_service_adds_the_version(world: World, tmp_path: Path) -> None:
    assert world.run(modelstore=None, autoserve="true") == 0

    (archive,) = world.fake.sent("/results/7/version")
    (tmp_path / "version").mkdir()
    unpack(io.BytesIO(archive), tmp_path / "version", 10_000)
    assert (tmp_path / "version/saved_model.pb").read_bytes() == b"saved"
    assert metadata(tmp_path / "version").items() >= {"result": 7, "offsets": "digits:0:0:10"}.items()
    world.upload()
    assert list((world.folder / "jobs").iterdir()) == []


def test_a_version_that_the_service_refuses_is_reported(world: World) -> None:
    world.fake.answers = [(200, b"untrained"), (400, b"the disk is full")]

    assert world.run(modelstore=None) == 0

    world.upload()
    assert "could not be put into the model store: the training service answered 400" in world.reason()


def test_of_pytorch_the_state_dict_is_uploaded_and_no_version_is_added(world: World) -> None:
    assert world.run(framework="pth", kwargs_fit='{"max_epochs": 2}') == 0

    part = world.upload()["trained_model"]
    assert (part.get_filename(), part.get_payload(decode=True)) == ("model.pth", b"trained")
    assert not (world.folder / "models").exists()


def test_a_stopped_job_can_be_continued(world: World) -> None:
    world.error = StoppedError()
    assert world.run() == 143
    assert not world.fake.sent("/results/7")[1:]

    world.error = None
    assert world.run() == 0

    assert world.reads == 1
    assert world.sizes == {"training": 7, "test": 1, "validation": 2}
    world.upload()


def test_a_refused_job_ends(world: World) -> None:
    world.fake.answers = [(400, b"result 7 was stopped"), (400, b"result 7 was stopped")]

    assert world.run() == 0

    assert world.reads == 0


def test_a_job_without_the_service_can_be_started_again(world: World) -> None:
    world.fake.answers = [(500, b"broken")] * 10

    assert world.run() == 1


def test_a_reason_can_always_be_stored(world: World) -> None:
    """The text of an exception may be anything."""
    world.error = CodeError("line 1 of the code: ValueError: \ud800\0" + "x" * 5000)

    assert world.run() == 0

    assert world.reason() == "line 1 of the code: ValueError: ??" + "x" * 1966


def test_a_job_whose_result_was_stopped_ends_and_leaves_nothing(world: World) -> None:
    def fit(*_: Any, reporter: Reporter, stop: threading.Event, **__: Any) -> Outcome:
        world.fake.answers = [(400, b"result 7 was stopped")]
        reporter.progress({"state": "training"})
        assert stop.wait(10)
        raise StoppedError

    world.patch.setattr(fitting, "fit", fit)

    assert world.run() == 0

    assert list((world.folder / "jobs").iterdir()) == []


def test_a_report_that_the_service_cannot_store_is_the_reason(world: World) -> None:
    """Such as metrics with a name that no database takes."""

    def fit(*_: Any, reporter: Reporter, stop: threading.Event, **__: Any) -> Outcome:
        world.fake.answers = [(400, b"data: train_metrics: expected text without NUL characters")]
        reporter.metrics({"train_metrics": {"a\0": [1.0]}})
        assert stop.wait(10)
        raise StoppedError

    world.patch.setattr(fitting, "fit", fit)

    assert world.run() == 0

    assert world.reason() == (
        "the training service answered 400: data: train_metrics: expected text without NUL characters"
    )


def test_an_outcome_that_the_service_does_not_hear_is_said_again_later(world: World) -> None:
    def fit(*_: Any, **__: Any) -> Outcome:
        world.fake.answers = [(500, b"broken")] * 20
        raise CodeError("line 3 of the code: ValueError: x")

    world.patch.setattr(fitting, "fit", fit)

    assert world.run() == 1, "whoever has started it may start it again"
    assert list((world.folder / "jobs").iterdir()) != []


def test_the_job_says_what_it_waits_for_and_how_much_it_has_read(world: World) -> None:
    def wait(*_: Any, waiting: Callable[[str], object], **__: Any) -> ControlMessage:
        waiting("waiting for a control message")
        return MESSAGE

    def read(*_: Any, progress: Callable[[int, int], object], waiting: Any, **__: Any) -> Samples:
        waiting("topic digits: Kafka does not answer")
        progress(5, 10)
        return world.read()

    world.patch.setattr(control, "wait", wait)
    world.patch.setattr(steps, "read", read)
    world.patch.setattr(Reporter, "progress", lambda _, fields: world.said.append(fields))

    assert world.run() == 0

    assert world.said == [
        {"state": "waiting", "reason": "waiting for a control message"},
        {"state": "waiting", "reason": "topic digits: Kafka does not answer"},
        {"state": "reading", "read": 5, "total": 10},
    ]


@pytest.mark.parametrize("place", ["waiting", "reading"])
def test_a_job_can_be_stopped_while_it_waits_and_reads(world: World, place: str) -> None:
    def wait(*_: Any, waiting: Callable[[str], object], **__: Any) -> ControlMessage:
        if place == "waiting":
            world.stop.set()
        waiting("waiting for a control message")
        return MESSAGE

    def read(*_: Any, progress: Callable[[int, int], object], **__: Any) -> Samples:
        world.stop.set()
        progress(5, 10)
        return world.read()

    world.patch.setattr(control, "wait", wait)
    world.patch.setattr(steps, "read", read)

    assert world.run() == 143


def test_without_a_model_store_no_version_is_added(world: World) -> None:
    assert world.run(modelstore=None) == 0

    assert "trained_model" in world.upload()
    assert not (world.folder / "models").exists()


def test_unlabelled_samples_are_read_for_a_semi_supervised_training(world: World) -> None:
    """The reading is that of the labelled ones."""
    world.patch.setattr(steps, "unlabelled", lambda *_, **__: np.ones((3, 2), np.uint8))
    world.message = replace(MESSAGE, unsupervised_topic="more:0:0:3")
    world.error = StoppedError()

    assert world.run(unsupervised="True") == 143

    (file,) = (world.folder / "jobs").glob("*/data/unlabelled.npy")
    assert np.load(file).shape == (3, 2)


def test_a_semi_supervised_training_without_unlabelled_samples_is_refused(world: World) -> None:
    assert world.run(unsupervised="True") == 0

    assert "names no unlabelled samples" in world.reason()
    assert world.reads == 0
