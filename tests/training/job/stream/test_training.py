"""A whole training on a stream: Kafka is a stand-in, and the process a thread of the test."""

import json
import select
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.kafka import clients
from tests.training.kafka import FakeKafka
from training.code.program import CodeError
from training.control.message import ControlMessage
from training.data import formats
from training.job import fitting
from training.job.samples import Kept as Folder
from training.job.settings import JobSettings
from training.job.stream import incremental, reader, training
from training.job.stream.incremental import Trained
from training.job.stream.session import QUESTIONS
from training.job.stream.state import Kept

CONFIG = {"data_type": "uint8", "label_type": "uint8", "data_reshape": "1", "label_reshape": "1"}
STREAM = ControlMessage(3, (), "RAW", CONFIG, 0.5, stream="digits", incremental=True)


class World:
    """What surrounds a training."""

    def __init__(self, folder: Path) -> None:
        self.kafka = FakeKafka()
        self.folder = Folder(folder, 1)
        self.reports = list[dict[str, Any]]()
        self.seen = list[list[int]]()
        self.task = ""
        self.starts = 0
        self.checkpoint: dict[str, Any] = {"number": 0, "refused": 0, "recent": []}
        self.options = dict[str, Any]()

    def progress(self, fields: dict[str, Any]) -> None:
        self.reports.append(fields)

    def metrics(self, fields: dict[str, Any]) -> None:
        assert fields.keys() == {"train_metrics", "val_metrics"}

    def run(
        self,
        task: str,
        request: dict[str, Any],
        *,
        on_progress: Callable[[dict[str, Any]], None],
        stop: threading.Event,
        **options: Any,
    ) -> None:
        """Answer as the process does, until the session ends."""
        self.task, self.options = task, options
        with (self.folder.work / QUESTIONS).open() as questions:
            self.starts += 1
            on_progress({"answer": self.checkpoint})
            while not stop.is_set():
                if not select.select([questions], [], [], 0.05)[0]:
                    continue
                question = json.loads(questions.readline())
                if question["do"] == "export":
                    on_progress({"answer": {"training_time": 1.0, "program": None}})
                    stop.wait(10)
                    return
                place = Path(request["data"]) / question["folder"]
                self.seen.append(np.load(place / "training-features.npy").ravel().tolist())
                numbers = {"loss": 1.0, "val_loss": 2.0}
                answer = {"number": question["number"], "refused": 0, "recent": [numbers]}
                self.checkpoint = {**answer, "recent": [*self.checkpoint["recent"], numbers]}
                on_progress({"answer": answer})

    def train(self, **more: Any) -> Trained:
        settings = JobSettings(
            bootstrap_servers="kafka:9092",
            result_url="http://training:8080/results/7",
            result_id=7,
            deployment_id=3,
            batch=4,
            kwargs_fit='{"epochs": 2}',
            case=2,
            **more,
        )
        self.folder.prepare()
        kept = Kept(self.folder.folder, "job")
        kept.begin(STREAM)
        return training.train(
            settings,
            STREAM,
            kept,
            self.folder,
            decoder=formats.decoder("RAW", CONFIG),
            labelled=None,
            reporter=self,  # type: ignore[arg-type]
            publish=lambda _: None,
            stop=threading.Event(),
            most=1000,
        )


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    found = World(tmp_path)
    monkeypatch.setattr(clients, "consumer", found.kafka.consumer)
    monkeypatch.setattr(reader, "time", found.kafka.clock)
    monkeypatch.setattr(training, "run", found.run)
    monkeypatch.setattr(fitting, "lacking", lambda _: [])
    return found


def test_a_stream_is_read_and_trained_on(world: World) -> None:
    world.kafka.add("digits")
    for number in range(4):
        world.kafka.write("digits", bytes([number]), b"\1")

    found = world.train()

    assert world.seen == [[0, 1]]
    assert found.progress == {"mini_batches": 1, "read": 4, "used": 4, "dropped": {}}
    assert found.outcome.val_metrics == {"loss": [2.0]}
    assert world.task == "training.job.child.keras_stream"
    assert world.options["folder"] == world.folder.work
    assert world.options["read"] == [world.folder.data]
    assert world.options["limits"].folder == 1000
    assert world.kafka.consumers[0].is_closed


def test_the_process_is_started_again_from_time_to_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incremental, "RENEWED_AFTER", 2)
    monkeypatch.setattr(reader, "MINI_BATCH", 1)
    world.kafka.add("digits")
    for number in range(5):
        world.kafka.write("digits", bytes([number]), b"\1")

    found = world.train()

    assert world.starts == 3
    assert world.seen == [[0], [1], [2], [3], [4]]
    assert found.progress == {"mini_batches": 5, "read": 5, "used": 5, "dropped": {}}
    assert found.outcome.train_metrics == {"loss": [1.0] * 5}
    assert len(world.kafka.consumers) == 1


def test_what_a_stream_waits_for_is_reported_once(world: World) -> None:
    with pytest.raises(ValueError, match="no message came within 60 s"):
        world.train()

    assert [each["reason"] for each in world.reports] == ["waiting for messages on topic digits"]
    assert world.kafka.consumers[0].is_closed


def test_a_framework_that_is_missing_is_the_reason(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "lacking", lambda _: ["ignite"])

    with pytest.raises(CodeError, match="lacks ignite"):
        world.train(framework="pth")
