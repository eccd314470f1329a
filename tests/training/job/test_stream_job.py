"""The steps of a job on a stream; the training itself is a stand-in."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.job.fakes import FakeService, form_parts
from training.code.program import CodeError
from training.code.supervise import StoppedError
from training.control.message import ControlMessage
from training.data.formats import Decoder
from training.data.ranges import Range
from training.data.samples import Samples
from training.job import control, stream_job
from training.job.outcome import Outcome
from training.job.service import Service
from training.job.settings import JobSettings
from training.job.stream import training
from training.job.stream.incremental import Trained
from training.job.stream.state import Kept
from training.job.stream_job import StreamJob
from training.versions.store import metadata

CONFIG = {"data_type": "uint8", "data_reshape": "2", "label_type": "uint8", "label_reshape": "1"}
STREAM = ControlMessage(3, (), "RAW", CONFIG, 0.2, stream="digits", incremental=True)
OUTCOME = Outcome({"loss": [1.0]}, None, None, 2.5, None, ("i", "c"))


def trained(number: int) -> Trained:
    progress = {"mini_batches": number, "read": 8, "used": 8, "dropped": {}}
    return Trained(OUTCOME, progress, (Range("digits", 0, 3, 11),))


class World:
    """The service, Kafka, and the training, which improves so many times."""

    def __init__(self, folder: Path, fake: FakeService) -> None:
        self.folder = folder
        self.fake = fake
        self.stop = threading.Event()
        self.message = STREAM
        self.waits = 0
        self.error: Exception | None = None
        self.improvements = 0
        self.given: dict[str, Any] = {}

    def run(self, **more: Any) -> int:
        settings = JobSettings(
            **{
                "bootstrap_servers": "kafka:9092",
                "result_url": self.fake.url,
                "result_id": 7,
                "deployment_id": 3,
                "batch": 4,
                "kwargs_fit": '{"epochs": 2}',
                "case": 2,
                "model_name": "digits",
                "modelstore": self.folder / "models",
                "jobfolder": self.folder / "jobs",
                **more,
            }
        )
        return StreamJob(settings, Service(self.fake.url, self.stop, pause=0.01), self.stop).run()

    def wait(self, *_: Any, **__: Any) -> ControlMessage:
        self.waits += 1
        return self.message

    def read(self, *_: Any, **__: Any) -> Samples:
        return Samples(np.zeros((10, 2), np.uint8), np.zeros(10, np.uint8))

    def train(
        self, _: JobSettings, message: ControlMessage, kept: Kept, folder: Any, **given: Any
    ) -> Trained:
        assert message == self.message == kept.message
        self.given = given
        for number in range(1, self.improvements + 1):
            self._write(folder.work)
            given["publish"](trained(number))
        if self.error is not None:
            raise self.error
        self._write(folder.work)
        return trained(9)

    def _write(self, work: Path) -> None:
        for name in ("model.h5", "model.pth"):
            (work / name).write_bytes(b"trained")
        (work / "exported").mkdir()
        (work / "exported/saved_model.pb").write_bytes(b"saved")

    def uploads(self) -> list[dict[str, Any]]:
        return [
            json.loads(form_parts(headers, body)["data"].get_payload(decode=True))
            for _, path, headers, body in self.fake.requests
            if path == "/results/7" and body
        ]

    def reason(self) -> str:
        last = json.loads(self.fake.sent("/results/7/progress")[-1])
        assert last["state"] == "failed"
        return str(last["reason"])


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    fake = FakeService()
    world = World(tmp_path, fake)
    monkeypatch.setattr(control, "wait", world.wait)
    monkeypatch.setattr(training, "train", world.train)
    monkeypatch.setattr(stream_job, "read", world.read)
    yield world
    fake.close()


def test_a_stream_that_ends_has_a_result_with_its_ledger(world: World) -> None:
    assert world.run() == 0

    (upload,) = world.uploads()
    assert upload["progress"] == {"mini_batches": 9, "read": 8, "used": 8, "dropped": {}}
    assert "indefinite" not in upload
    facts = metadata(world.folder / "models/digits/candidates/1")
    assert (facts["offsets"], facts["result"], facts["code"]) == ("digits:0:3:11", 7, "c")
    assert list((world.folder / "jobs").iterdir()) == []
    decoder: Decoder = world.given["decoder"]
    assert decoder.keys is not None
    assert world.given["labelled"] is None


def test_each_improvement_is_a_result_and_a_version(world: World) -> None:
    world.improvements = 2
    world.error = StoppedError()
    world.fake.answers = [(200, b"untrained"), (200, b'{"result": 8}'), (200, b'{"result": 9}')]

    assert world.run(autoserve="true") == 143

    assert [each["indefinite"] for each in world.uploads()] == [True, True]
    assert [metadata(world.folder / f"models/digits/{version}")["result"] for version in (1, 2)] == [8, 9]


def test_without_a_model_store_the_service_learns_whose_version_it_is(world: World) -> None:
    world.improvements = 1
    world.error = StoppedError()
    world.fake.answers = [(200, b"untrained"), (200, b'{"result": 8}')]

    assert world.run(modelstore=None) == 143

    assert len(world.fake.sent("/results/7/version?added=8")) == 1


def test_an_improvement_without_a_version_does_not_end_the_training(world: World) -> None:
    (world.folder / "models").write_text("not a folder")
    world.improvements = 1
    world.error = StoppedError()

    assert world.run() == 143

    assert len(world.uploads()) == 1


def test_a_stopped_job_continues_with_its_control_message(world: World) -> None:
    world.error = StoppedError()
    assert world.run() == 143

    world.error = None
    assert world.run() == 0

    assert world.waits == 1
    assert len(world.uploads()) == 1


def test_what_another_training_has_left_is_not_used(world: World) -> None:
    world.error = StoppedError()
    assert world.run() == 143
    (checkpoint,) = (world.folder / "jobs").glob("*/work")
    (checkpoint / "checkpoint.npz").write_bytes(b"old")

    assert world.run(seed=5) == 143

    assert world.waits == 2
    assert not (checkpoint / "checkpoint.npz").exists()


def test_a_job_whose_result_was_stopped_keeps_what_it_needs_to_continue(world: World) -> None:
    def train(*_: Any, **given: Any) -> Trained:
        world.fake.answers = [(400, b"result 7 was stopped")] * 2
        given["reporter"].progress({"state": "training"})
        assert world.stop.wait(10)
        raise StoppedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "train", train)
        assert world.run() == 0

    assert (world.folder / "jobs/result-7/stream.json").exists()


def test_a_failure_is_reported_and_leaves_nothing(world: World) -> None:
    world.error = CodeError("line 3 of the code: x")

    assert world.run() == 0

    assert world.reason() == "line 3 of the code: x"
    assert list((world.folder / "jobs").iterdir()) == []


def test_a_control_message_with_ranges_is_refused(world: World) -> None:
    world.message = replace(STREAM, stream=None, ranges=(Range("digits", 0, 0, 9),))

    assert world.run() == 0

    assert "expects the name of a topic" in world.reason()


def test_an_endless_semi_supervised_training_begins_with_labelled_samples(world: World) -> None:
    world.message = replace(STREAM, stream=None, ranges=(Range("few", 0, 0, 9),), unsupervised_topic="more")

    assert world.run(unsupervised="true") == 0

    assert world.given["decoder"].keys is None
    assert len(world.given["labelled"]()) == 10
