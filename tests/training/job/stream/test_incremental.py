"""The loop of a training on a stream; the process and Kafka are stand-ins."""

from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from confluent_kafka import Message

from training.code.program import CodeError
from training.control.message import ControlMessage
from training.data import formats
from training.data.ranges import Range
from training.data.samples import Samples
from training.job.settings import JobSettings
from training.job.stream.checks import check
from training.job.stream.decoding import Decoding
from training.job.stream.incremental import Incremental, Trained
from training.job.stream.state import Kept

CONFIG = {"data_type": "uint8", "label_type": "uint8", "data_reshape": "1", "label_reshape": "1"}
STREAM = ControlMessage(3, (), "RAW", CONFIG, 0.2, stream="digits", incremental=True)
SEMI = ControlMessage(3, (Range("few", 0, 0, 4),), "RAW", CONFIG, 0.25, unsupervised_topic="more")
EXPORTED = {"training_time": 1.5, "program": ["i", "c"]}


class World:
    """The topic, and the process with its checkpoint, which outlives it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.message = STREAM
        self.labels = ["loss", "accuracy"]
        self.answers = deque[dict[str, Any]]()
        self.questions = list[dict[str, Any]]()
        self.checkpoint: dict[str, Any] = {"number": 0, "refused": 0, "recent": []}
        self.mini_batches = deque[tuple[list[int], int]]()
        self.put = list[tuple[str, list[int], list[int]]]()
        self.reports = list[dict[str, Any]]()
        self.metrics = list[dict[str, Any]]()
        self.results = list[Trained]()
        self.dies_at = ""
        self.deleted = 0
        self.positions = dict[int, int]()

    # The process.
    def hear(self) -> dict[str, Any]:
        return self.checkpoint

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        self.questions.append(question)
        if question["do"] == "export":
            self._die("export")
            return EXPORTED
        self._die("before")
        answer = self.answers.popleft()
        recent = [*self.checkpoint["recent"], *answer["recent"]]
        self.checkpoint = {**answer, "recent": recent}
        self._die("after")
        return answer

    def fits(self, number: int, refused: int = 0, **metrics: Any) -> None:
        """Let the process answer the next question."""
        self.answers.append({"number": number, "refused": refused, "recent": [metrics] if metrics else []})

    # The topic.
    def take(self, patience: float) -> list[Message]:
        assert patience > 0
        self.deleted = 0
        if not self.mini_batches:
            return []
        labels, self.deleted = self.mini_batches.popleft()
        begin = self.positions.get(0, 0) + self.deleted
        self.positions[0] = begin + len(labels)
        return [
            Message(
                topic="digits", partition=0, offset=begin + place, key=bytes([label]), value=bytes([label])
            )
            if label < 200
            else Message(topic="digits", partition=0, offset=begin + place, key=b"\1", value=b"\1\2")
            for place, label in enumerate(labels)
        ]

    def arrive(self, *labels: int, deleted: int = 0) -> None:
        """Let messages arrive as one mini-batch; those of 200 and more do not fit."""
        self.mini_batches.append(([*labels], deleted))

    # The job.
    def run(self, **settings: Any) -> Trained:
        kept = Kept(self.folder, "job")
        if not kept.load():
            kept.begin(self.message)
        given = {"seed": 1, **settings}
        training = Incremental(
            JobSettings(**_JOB, **given),
            self.message,
            kept,
            put=self._put,
            report=self.reports.append,
            report_metrics=self.metrics.append,
            publish=self._publish,
            labelled=self._labelled if given.get("unsupervised") else None,
        )
        state = training.begin(self)  # type: ignore[arg-type]
        self.positions = dict(state.positions)
        decoding = Decoding(formats.decoder("RAW", CONFIG, labelled=not given.get("unsupervised")))
        found = training.run(self, self, decoding)  # type: ignore[arg-type]
        assert found is not None
        return found

    def _put(self, name: str, training: Samples, validation: Samples) -> None:
        self.put.append((name, *(each.features.ravel().tolist() for each in (training, validation))))  # type: ignore[arg-type]

    def _publish(self, found: Trained) -> None:
        self._die("publish")
        self.results.append(found)

    def _labelled(self) -> Samples:
        return Samples(np.arange(4, dtype=np.uint8)[:, None], np.arange(4, dtype=np.uint8)[:, None])

    def _die(self, place: str) -> None:
        if place == self.dies_at:
            self.dies_at = ""
            raise KeyboardInterrupt


_JOB: dict[str, Any] = {
    "bootstrap_servers": "kafka:9092",
    "result_url": "http://training:8080/results/7",
    "result_id": 7,
    "deployment_id": 3,
    "batch": 4,
    "kwargs_fit": '{"epochs": 2}',
    "case": 2,
}
INDEFINITE: dict[str, Any] = {
    "stream_timeout": -1,
    "monitoring_metric": "accuracy",
    "change": "up",
    "improvement": 0.1,
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_mini_batches_are_split_and_trained_on_until_none_comes(world: World) -> None:
    world.arrive(*range(10))
    world.arrive(10, 11, 200)
    world.fits(1, loss=2.0, val_loss=3.0)
    world.fits(2, loss=1.0)

    found = world.run()

    assert world.put == [
        ("labelled", list(range(8)), [8, 9]),
        ("labelled", [10, 11], []),
    ]
    assert found.progress == {"mini_batches": 2, "read": 13, "used": 12, "dropped": {"value": 1}}
    assert found.ranges == (Range("digits", 0, 0, 13),)
    assert found.outcome.train_metrics == {"loss": [2.0, 1.0]}
    assert found.outcome.val_metrics == {"loss": [3.0, None]}
    assert found.outcome.program == ("i", "c")
    assert [each["state"] for each in world.reports] == ["training", "training", "exporting"]
    assert world.metrics[-1]["train_metrics"] == {"loss": [2.0, 1.0]}


def test_samples_may_be_split_at_random(world: World) -> None:
    world.arrive(*range(10))
    world.fits(1, loss=2.0)

    world.run(random_split="true")

    ((_, training, validation),) = world.put
    assert sorted([*training, *validation]) == list(range(10))
    assert len(validation) == 2
    assert validation != [8, 9]


def test_labels_that_the_model_does_not_have_are_dropped(world: World) -> None:
    world.arrive(1, 2, 3)
    world.fits(1, refused=2, loss=1.0)

    assert world.run().progress == {"mini_batches": 1, "read": 3, "used": 1, "dropped": {"label": 2}}


def test_messages_that_kafka_has_deleted_are_dropped(world: World) -> None:
    world.arrive(1, 2)
    world.arrive(deleted=5)
    world.fits(1, loss=1.0)

    found = world.run()

    assert found.progress == {"mini_batches": 1, "read": 7, "used": 2, "dropped": {"deleted": 5}}


def test_a_stream_without_messages_has_failed(world: World) -> None:
    with pytest.raises(ValueError, match=r"no message came within 2 s \(stream_timeout\)"):
        world.run(stream_timeout=2000)


def test_a_stream_without_messages_that_fit_has_failed(world: World) -> None:
    world.arrive(200, 201)

    with pytest.raises(ValueError, match=r"none of 2 messages could be used \(value 2\)"):
        world.run()


def test_a_stream_without_labels_of_the_models_has_failed(world: World) -> None:
    world.arrive(7, 8)
    world.fits(1, refused=2)

    with pytest.raises(ValueError, match=r"none of 2 messages could be used \(label 2\)"):
        world.run()


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_killed_job_uses_each_message_once(world: World, place: str) -> None:
    world.arrive(1, 2)
    world.fits(1, loss=2.0)
    world.run()
    world.arrive(3, 4)
    world.fits(2, refused=1, loss=1.0)
    world.dies_at = place
    with pytest.raises(KeyboardInterrupt):
        world.run()

    if place == "before":  # the messages are read again
        assert world.positions == {0: 4}
        world.arrive(3, 4)
    found = world.run()

    assert world.positions == {0: 4}
    assert found.progress == {"mini_batches": 2, "read": 4, "used": 3, "dropped": {"label": 1}}
    assert found.outcome.train_metrics == {"loss": [2.0, 1.0]}


def test_a_checkpoint_of_another_training_is_not_used(world: World) -> None:
    world.checkpoint = {"number": 7, "recent": []}

    with pytest.raises(ValueError, match="after 7 mini-batches"):
        world.run()


def test_a_result_is_made_when_the_metric_improves(world: World) -> None:
    for number, accuracy in enumerate([0.5, 0.55, 0.6, None, 0.65], 1):
        world.arrive(*range(10))
        world.fits(number, 0, loss=1.0, accuracy=0.9, **({"val_accuracy": accuracy} if accuracy else {}))

    world.run(**INDEFINITE)

    assert [each.progress["best"] for each in world.results] == [0.5, 0.6]
    assert [each.progress["mini_batches"] for each in world.results] == [1, 3]
    assert [each.ranges for each in world.results] == [
        (Range("digits", 0, 0, 10),),
        (Range("digits", 0, 0, 30),),
    ]


@pytest.mark.parametrize("place", ["after", "export", "publish"])
def test_a_result_that_a_killed_job_did_not_make_is_made_later(world: World, place: str) -> None:
    world.arrive(*range(10))
    world.fits(1, accuracy=0.9, val_accuracy=0.5)
    world.dies_at = place
    with pytest.raises(KeyboardInterrupt):
        world.run(**INDEFINITE)
    assert world.results == []

    world.run(**INDEFINITE)

    assert [each.progress["mini_batches"] for each in world.results] == [1]


def test_the_metric_must_be_one_of_the_models(world: World) -> None:
    world.arrive(*range(10))
    world.fits(1, loss=1.0, val_loss=1.0)

    with pytest.raises(ValueError, match="monitoring_metric 'accuracy': the model has loss"):
        world.run(**INDEFINITE)


def test_a_stream_of_unlabelled_samples_ends_when_the_model_is_not_sure(world: World) -> None:
    world.message = SEMI
    world.arrive(9, 8)
    world.arrive(7)
    world.arrive(6)
    world.fits(1, loss=1.0, val_loss=1.0)
    world.fits(2, refused=1, loss=0.5, val_loss=1.0)
    world.fits(3, refused=1)

    found = world.run(unsupervised="true", confidence=0.8)

    assert world.put == [
        ("labelled", [0, 1, 2], [3]),
        ("unlabelled", [9, 8], []),
        ("unlabelled", [7], []),
    ]
    assert [each.get("confidence") for each in world.questions if each["do"] == "fit"] == [None, 0.8, 0.8]
    assert found.progress == {"mini_batches": 3, "read": 7, "used": 5, "dropped": {"confidence": 2}}
    assert found.ranges == (Range("few", 0, 0, 4), Range("more", 0, 0, 3))
    assert len(world.mini_batches) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"number": 5},
        {"number": -1},
        {"number": "1"},
        {"number": 1, "refused": 9},
        {"number": 1, "recent": 3},
        {"number": 1, "recent": [{"loss": "low"}]},
        {"number": 1, "recent": [[1]]},
    ],
)
def test_answers_that_the_users_code_wrote_are_refused(world: World, answer: dict[str, Any]) -> None:
    world.arrive(1, 2)
    world.answers.append({"refused": 0, "recent": [], **answer})
    world.checkpoint["recent"] = []

    with pytest.raises((CodeError, TypeError)):
        world.run()


@pytest.mark.parametrize(
    ("message", "settings", "reason"),
    [
        ({"stream": None, "ranges": (Range("digits", 0, 0, 9),)}, {}, "ranges of offsets"),
        ({"test_rate": 0.1}, {}, "no test"),
        ({"validation_rate": 0}, INDEFINITE, "validation_rate is 0"),
        ({}, {**INDEFINITE, "monitoring_metric": ""}, "set monitoring_metric"),
        ({}, {**INDEFINITE, "change": None}, "up or down"),
        ({}, {"unsupervised": "true"}, "begins with ranges"),
        ({"stream": None, "ranges": (Range("a", 0, 0, 9),)}, {"unsupervised": "true"}, "begins with ranges"),
    ],
)
def test_control_messages_that_do_not_fit_are_refused(
    message: dict[str, Any], settings: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        check(replace(STREAM, **message), JobSettings(**_JOB, **settings))


def test_control_messages_that_fit_are_taken() -> None:
    check(STREAM, JobSettings(**_JOB))
    check(STREAM, JobSettings(**_JOB, **INDEFINITE))
    check(SEMI, JobSettings(**_JOB, unsupervised=True))
