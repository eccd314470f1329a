"""What a worker does with what comes from both Kafkas; the training itself is a stand-in."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.kafka.causes import Causes
from tests.training.kafka import FakeKafka
from training.code.program import CodeError
from training.control.message import ControlMessage
from training.control.message import compose as composed
from training.data.errors import DataError
from training.data.ranges import Range
from training.data.samples import Samples
from training.federated import announcement, following, messages, sending, weights
from training.federated.announcement import Announcement
from training.federated.following import Follower
from training.federated.held import Held, Trained
from training.federated.messages import End, Failure, Join, Round, Update
from training.federated.names import DATA, MODELS, Topics
from training.federated.sending import Sender, fetch
from training.federated.weights import File, pack
from training.federated.worker import Surroundings, Worker

TOPICS = Topics("x")
TRAINING = Announcement(TOPICS, (2,), (10,), 5, {"country": "es"})
CONFIG = {"data_type": "uint8", "data_reshape": "2", "label_type": "uint8", "label_reshape": "1"}
CONTROL = ControlMessage(
    1, (Range("mine", 0, 0, 10),), "RAW", CONFIG, 0.2, dataset_restrictions='{"country": "es"}'
)
MODEL = b"model"
WEIGHTS, DATA_OF_WEIGHTS = pack([np.array([1, 2], np.float32)])


class World:
    """Both Kafkas, and what the training process would do."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.owner, self.cloud = FakeKafka(), FakeKafka()
        self.cloud.clock = self.owner.clock
        for module in (following, sending):
            patch.setattr(module, "time", self.owner.clock)
        self.owner.add(DATA)
        for topic in (MODELS, TOPICS.rounds, TOPICS.updates, TOPICS.weights, TOPICS.of("ann")):
            self.cloud.add(topic)
        self.stop = threading.Event()
        self.trained = list[int]()
        self.read = list[str]()
        self.error: Exception | None = None
        self.dies = False
        self.worker = self.restarted()

    def restarted(self, oldest: int = 0) -> Worker:
        """Return a new worker with the same folder."""
        causes = Causes("kafka:9092")
        consumer: Any = self.cloud.consumer()
        producer: Any = self.cloud.producer()
        self.worker = Worker(
            "ann",
            self.folder,
            Surroundings(
                owner=Follower(self.owner.consumer(), causes),  # type: ignore[arg-type]
                cloud=Follower(self.cloud.consumer(), causes),  # type: ignore[arg-type]
                sender=Sender(producer, causes, self.stop),
                fetch=lambda place, size: fetch(consumer, place, size, self.stop),
                read=self._read,
                create=lambda _: None,
                train=self._train,
            ),
            data=DATA,
            models=MODELS,
            oldest=oldest,
        )
        return self.worker

    def _read(self, data: ControlMessage, _: Path) -> Samples:
        self.read.append(data.ranges[0].topic)
        if data.ranges[0].topic == "broken":
            raise DataError("broken:0:3: wrong")
        return Samples(np.zeros((10, 2), np.uint8), np.zeros(10, np.uint8))

    def _train(self, held: Held, given: Round, sizes: dict[str, int]) -> Trained:
        assert sizes == {"training": 8, "test": 0, "validation": 2}
        assert held.model.read_bytes() == MODEL
        self.trained.append(given.version)
        if self.error is not None:
            raise self.error
        held.update.write_bytes(held.weights.read_bytes())
        return Trained(given.version + 1, given.weights, {"loss": 0.5}, {"loss": 0.25})

    def own(self, message: ControlMessage = CONTROL) -> None:
        """Let the owner send data."""
        key, value = composed(message)
        self.owner.write(DATA, value, key)

    def announce(self, announced: Announcement = TRAINING) -> None:
        self.cloud.write(MODELS, announcement.compose(announced), None)

    def say(self, version: int | None = None, reason: str = "", **more: Any) -> None:
        """Let the aggregator begin a round, or end the training."""
        said: Round | End = End(reason)
        if version is not None:
            at = [self.cloud.write(TOPICS.weights, each, b"") for each in (MODEL, DATA_OF_WEIGHTS)]
            said = Round(
                version=version,
                rounds=3,
                place=Range(TOPICS.weights, 0, at[1], at[1] + 1),
                weights=WEIGHTS,
                model_place=Range(TOPICS.weights, 0, at[0], at[0] + 1),
                model=File(len(MODEL), weights.checksum(MODEL)),
                batch=4,
                seed=1,
            )
            said = replace(said, **more)
        self.cloud.write(TOPICS.rounds, messages.compose_round(said), messages.result_key(7))

    def run(self, steps: int = 60) -> None:
        for _ in range(steps):
            self.worker.step()

    def said(self) -> list[Join | Failure | Update]:
        """Return what the client has said."""
        found = self.cloud.topics[TOPICS.updates][0].messages.values()
        return [messages.parse_said("ann", each.value(), TOPICS) for each in found]

    def versions(self) -> list[int]:
        return [each.version for each in self.said() if isinstance(each, Update)]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_it_joins_trains_and_sends_only_weights_metrics_and_counts(world: World) -> None:
    world.own()
    world.announce()
    world.run()
    world.say(0)
    world.run()

    joined, update = world.said()
    assert joined == Join("ann", 8)
    assert isinstance(update, Update)
    assert (update.version, update.num_data) == (1, 8)
    assert (update.training, update.validation) == ({"loss": 0.5}, {"loss": 0.25})
    (sent,) = world.cloud.topics[TOPICS.of("ann")][0].messages.values()
    assert sent.value() == DATA_OF_WEIGHTS


@pytest.mark.parametrize("first", ["data", "model"])
def test_data_and_trainings_may_come_in_any_order(world: World, first: str) -> None:
    for part in ["data", "model"] if first == "data" else ["model", "data"]:
        (world.own if part == "data" else world.announce)()
        world.run()

    assert world.said() == [Join("ann", 8)]


def test_data_that_do_not_match_are_not_read(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world.own(replace(CONTROL, dataset_restrictions={}))
    world.announce()
    world.say(0)
    world.run()

    assert world.said() == []
    assert world.read == []
    assert caplog.text.count("training x: mine:0:0:10 is not used: the data have the restrictions {}") == 1


def test_of_several_data_the_newest_that_match_are_used(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.own(replace(CONTROL, ranges=(Range("older", 0, 0, 10),)))
    world.own()
    world.own(replace(CONTROL, ranges=(Range("broken", 0, 0, 10),)))
    world.announce()
    world.run()

    assert world.read == ["broken", "mine"]
    assert world.said() == [Join("ann", 8)]
    assert "broken:0:0:10 cannot be used: broken:0:3: wrong" in caplog.text


def test_of_several_rounds_only_the_newest_is_trained(world: World) -> None:
    world.own()
    world.announce()
    for version in (0, 1, 2):
        world.say(version)
    world.run()

    assert world.trained == [2]
    assert world.versions() == [3]


def test_a_round_that_is_said_again_is_not_trained_again(world: World) -> None:
    """The aggregator says it again after it was killed."""
    world.own()
    world.announce()
    world.say(0)
    world.run()
    world.say(0)
    world.announce()
    world.run()

    assert world.trained == [0]
    assert world.versions() == [1]


def test_after_a_restart_nothing_is_trained_twice(world: World) -> None:
    world.own()
    world.announce()
    world.say(0)
    world.run()

    world.restarted()
    world.run()
    assert world.read == ["mine"]
    assert world.trained == [0]
    assert world.versions() == [1]

    world.say(1)
    world.run()
    assert world.trained == [0, 1]
    assert world.versions() == [1, 2]


def test_what_was_trained_before_a_kill_is_sent_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.own()
    world.announce()
    world.run()
    with monkeypatch.context() as patch:
        patch.setattr(Sender, "send_bytes", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        world.say(0)
        with pytest.raises(KeyboardInterrupt):
            world.run()
    assert world.versions() == []

    world.restarted()
    world.run()

    assert world.trained == [0]
    assert world.versions() == [1]


@pytest.mark.parametrize(
    "error",
    [CodeError("line 3 of the code:\nValueError: x"), ValueError("line 3 of the code: ValueError: x")],
    ids=["code", "weights"],
)
def test_a_round_that_fails_is_said_and_not_tried_again(world: World, error: Exception) -> None:
    world.error = error
    world.own()
    world.announce()
    world.say(0)
    world.run()
    world.restarted()
    world.run()

    assert world.trained == [0]
    failures = [each for each in world.said() if isinstance(each, Failure)]
    assert failures == [Failure("ann", 1, "line 3 of the code: ValueError: x")]

    world.error = None
    world.say(1)
    world.run()
    assert world.versions() == [2]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"model": File(5, "0" * 64)}, "the checksum of the model is wrong"),
        ({"model": File(6, "0" * 64)}, "have 5 bytes or more: expected 6"),
        ({"weights": replace(WEIGHTS, sha256="0" * 64)}, "the checksum of its weights is wrong"),
        ({"place": Range(TOPICS.weights, 0, 50, 51)}, "cannot be read: they are missing, or deleted"),
    ],
    ids=str,
)
def test_what_arrives_broken_is_not_trained(world: World, wrong: dict[str, Any], reason: str) -> None:
    world.own()
    world.announce()
    world.say(0, **wrong)
    world.run(200)

    assert world.trained == []
    (failure,) = [each for each in world.said() if isinstance(each, Failure)]
    assert reason in failure.reason


@pytest.mark.parametrize("reason", ["", "the disk is full"])
def test_a_training_that_is_over_leaves_nothing(
    world: World, caplog: pytest.LogCaptureFixture, reason: str
) -> None:
    caplog.set_level("INFO")
    world.own()
    world.announce()
    world.say(0)
    world.run()
    world.say(reason=reason)
    world.run()

    assert f"training x is over{reason and ': '}{reason}" in caplog.text
    assert [each.name for each in (world.folder / "x").iterdir()] == ["over"]
    world.restarted()
    world.run()
    assert len(world.said()) == 2, "it is not joined again"


def test_one_that_was_over_before_is_not_joined(world: World) -> None:
    world.own()
    world.announce()
    world.say(0)
    world.say()
    world.run()

    assert world.said() == []


def test_old_trainings_are_joined_only_if_they_were_known(world: World) -> None:
    world.own()
    world.announce()
    world.restarted(oldest=1000)
    world.run()
    assert world.said() == []

    world.restarted()
    world.run()
    world.restarted(oldest=1000)
    world.run()
    assert world.said() == [Join("ann", 8)] * 2


def test_what_is_no_message_is_skipped(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.owner.write(DATA, b"nonsense", b"\1")
    world.cloud.write(MODELS, b"{}", None)
    world.cloud.write(TOPICS.rounds, b"{}", None)
    world.own()
    world.announce()
    world.say(0)
    world.run()
    world.cloud.write(TOPICS.rounds, b"[]", None)
    world.run()

    assert world.versions() == [1]
    assert "model control message: the field model_format is missing; skipped" in caplog.text
    assert "training x: round: expected a JSON object, found []; skipped" in caplog.text
