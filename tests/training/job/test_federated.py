"""The aggregator's steps; the restricted process is a stand-in, and Kafka is one in this process."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.kafka.causes import Causes
from tests.training.job.fakes import FakeService, form_parts
from tests.training.kafka import FakeKafka
from training.code.program import CodeError
from training.data.ranges import Range
from training.federated import announcement, following, messages, saved, sending
from training.federated.following import Follower
from training.federated.messages import End, Join, Round, Update
from training.federated.names import MODELS, Topics
from training.federated.sending import Sender
from training.federated.weights import pack
from training.job import federated, federated_model
from training.job.federated_job import FederatedJob
from training.job.service import Service
from training.job.settings import JobSettings
from training.versions.store import metadata

TOPICS = Topics("abc")
FIRST = [np.zeros(2, np.float32)]


class World:
    """The service, the cloud's Kafka, the process, and a client that answers rounds by `answers`."""

    def __init__(self, folder: Path, fake: FakeService, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.fake = fake
        self.patch = patch
        self.kafka = FakeKafka()
        self.stop = threading.Event()
        self.steps = list[dict[str, Any]]()
        self.error: Exception | None = None
        self.answers: dict[int, list[float]] = {0: [1, 1], 1: [2, 2]}
        self.kills_at: int | None = None
        self._read = dict[str, int]()
        for module in (following, sending):
            patch.setattr(module, "time", self.kafka.clock)
        patch.setattr(federated, "Kafka", lambda *_: self)
        patch.setattr(federated_model, "run", self.process)
        self.kafka.between = lambda _: self.client()

    def consumer(self) -> Any:
        return self.kafka.consumer()

    def follower(self) -> Follower:
        return Follower(self.consumer(), Causes("kafka:9092"))

    def sender(self, waiting: Any) -> Sender:
        producer: Any = self.kafka.producer()
        return Sender(producer, Causes("kafka:9092"), self.stop, waiting)

    def create(self, _: object, *names: str, weights: bool = False) -> None:
        assert weights == (names == (TOPICS.weights,))
        for name in names:
            if name not in self.kafka.topics:
                self.kafka.add(name)

    def process(self, task: str, request: dict[str, Any], *, folder: Path, **_: Any) -> Any:
        assert task == "training.job.child.keras_federated"
        self.steps.append(request)
        if self.error is not None:
            raise self.error
        if request["step"] == "begin":
            described, data = pack(FIRST)
            (folder / "weights.bin").write_bytes(data)
            return {"weights": described.composed(), "trained": [True], "input": [8, 8], "output": [None]}
        (folder / "model.h5").write_bytes(Path(request["file"]).read_bytes())
        (folder / "exported").mkdir()
        (folder / "exported/saved_model.pb").write_bytes(b"saved")
        return {"program": ("i", "c")}

    def client(self) -> None:
        """Join once the training is announced, and answer each round."""
        if MODELS not in self.kafka.topics or not self.kafka.topics[MODELS][0].end:
            return
        if not self._read:
            self._read["joined"] = 1
            self.say(Join("ann", 100))
        for said in self.said()[self._read.get("rounds", 0) :]:
            self._read["rounds"] = self._read.get("rounds", 0) + 1
            if isinstance(said, Round) and said.version in self.answers:
                self.answer("ann", said.version + 1, *self.answers[said.version])
                if said.version == self.kills_at:
                    self.kills_at = None
                    self.stop.set()

    def answer(self, name: str, version: int, *values: float) -> None:
        described, data = pack([np.array(values, np.float32)])
        if TOPICS.of(name) not in self.kafka.topics:
            self.kafka.add(TOPICS.of(name))
        at = self.kafka.write(TOPICS.of(name), data, b"")
        place = Range(TOPICS.of(name), 0, at, at + 1)
        self.say(Update(name, version, place, described, 100, {"loss": 1 / version}, {}))

    def say(self, said: Join | Update) -> None:
        key, value = messages.compose_said(said)
        self.kafka.write(TOPICS.updates, value, key)

    def said(self) -> list[Round | End]:
        """Return what the aggregator has said."""
        found = self.kafka.topics.get(TOPICS.rounds)
        values = found[0].messages.values() if found else ()
        return [messages.parse_round(each.value(), TOPICS) for each in values]

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
            "case": 5,
            "aggregation_rounds": 2,
            "min_data": 5,
            "data_restriction": '{"a": 1}',
            "federated_string_id": "abc",
            "federated_joining": "0s",
            "federated_deadline": "60s",
            **more,
        }
        return JobSettings(**given)

    def run(self, **more: Any) -> int:
        self.stop.clear()
        service = Service(self.fake.url, self.stop, pause=0.01)
        return FederatedJob(self.settings(**more), service, self.stop).run()

    def reason(self) -> str:
        last = json.loads(self.fake.sent("/results/7/progress")[-1])
        assert last["state"] == "failed"
        return str(last["reason"])

    def upload(self) -> Any:
        (found,) = [
            (head, body) for _, path, head, body in self.fake.requests if path == "/results/7" and body
        ]
        return form_parts(*found)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    fake = FakeService()
    yield World(tmp_path, fake, monkeypatch)
    fake.close()


def test_all_rounds_are_trained_and_the_model_is_uploaded(world: World) -> None:
    assert world.run() == 0

    (announced,) = world.kafka.topics[MODELS][0].messages.values()
    assert announcement.parse(announced.value()) == announcement.Announcement(
        TOPICS, (8, 8), (None,), 5, {"a": 1}
    )
    first, second, end = world.said()
    assert isinstance(first, Round)
    assert isinstance(second, Round)
    assert end == End()
    assert (first.version, first.rounds, first.batch, first.arguments) == (0, 2, 4, {"epochs": 2})
    assert first.model.size == len(world.fake.model)
    assert second.version == 1
    upload = world.upload()
    assert upload["trained_model"].get_payload(decode=True) == pack([np.full(2, 2, np.float32)])[1]
    data = json.loads(upload["data"].get_payload(decode=True))
    assert data["train_metrics"] == {"loss": [1.0, 0.5]}
    assert (data["val_metrics"], data["test_metrics"], data["confusion_matrix"]) == (None, None, None)
    facts = metadata(world.folder / "models/digits/candidates/1")
    assert (facts["strategy"], facts["code"]) == ("FedAvg", "c")
    assert [(each["name"], each["used"]) for each in facts["clients"]] == [("ann", 2)]
    assert list((world.folder / "jobs").iterdir()) == []
    assert [each["step"] for each in world.steps] == ["begin", "end"]


def test_a_killed_aggregator_continues_with_its_round(world: World) -> None:
    world.kills_at = 1
    assert world.run() == 143
    assert not world.fake.sent("/results/7")[1:]

    assert world.run() == 0

    assert [each.version for each in world.said() if isinstance(each, Round)] == [0, 1, 1]
    data = json.loads(world.upload()["data"].get_payload(decode=True))
    assert data["train_metrics"] == {"loss": [1.0, 0.5]}
    assert [each["step"] for each in world.steps] == ["begin", "end"]


def test_on_a_full_disk_an_earlier_round_is_continued(world: World, caplog: pytest.LogCaptureFixture) -> None:
    original, saves = saved.save, list[int]()

    def save(file: Path, *given: Any, **more: Any) -> None:
        saves.append(1)
        if len(saves) > 2:
            raise OSError(28, "No space left on device")
        original(file, *given, **more)

    with world.patch.context() as patch:
        patch.setattr(saved, "save", save)
        world.kills_at = 1
        assert world.run() == 143
    assert "round 2 is not kept: No space left on device" in caplog.text

    assert world.run() == 0

    assert [each.version for each in world.said() if isinstance(each, Round)] == [0, 1, 0, 1]
    data = json.loads(world.upload()["data"].get_payload(decode=True))
    assert data["train_metrics"] == {"loss": [1.0, 0.5]}


def test_what_another_training_has_left_is_not_continued(world: World) -> None:
    world.kills_at = 1
    assert world.run() == 143

    assert world.run(seed=9) == 0

    assert [each["step"] for each in world.steps] == ["begin", "begin", "end"]


def test_a_killed_aggregator_knows_who_has_joined_before_the_first_round(world: World) -> None:
    world.kills_at = 0
    assert world.run() == 143

    assert world.run() == 0

    assert [each.version for each in world.said() if isinstance(each, Round)] == [0, 0, 1]


def test_a_client_whose_weights_are_missing_is_refused_and_the_others_go_on(world: World) -> None:
    def client() -> None:
        if TOPICS.updates in world.kafka.topics and "eve" not in world.kafka.topics:
            world.kafka.add("eve")
            world.kafka.add(TOPICS.of("eve"))
            described, _ = pack(FIRST)
            world.say(Join("eve", 5))
            world.say(Update("eve", 1, Range(TOPICS.of("eve"), 0, 0, 1), described, 5, {}, {}))
        world.client()

    world.kafka.between = lambda _: client()
    world.answers = {0: [1, 1]}

    assert world.run(aggregation_rounds=1, federated_clients=2) == 0

    upload = world.upload()
    assert upload["trained_model"].get_payload(decode=True) == pack([np.full(2, 1, np.float32)])[1]


def test_a_training_without_usable_weights_fails_with_the_reasons(world: World) -> None:
    world.answers = {0: [1, float("nan")]}

    assert world.run(federated_deadline="1s") == 0

    assert "0 of at least 1 clients have sent weights that can be used: client ann:" in world.reason()
    end = world.said()[-1]
    assert isinstance(end, End)
    assert "array 0 of its weights has 1 numbers that are NaN" in end.reason


def test_a_training_that_was_stopped_tells_its_clients(world: World) -> None:
    world.kills_at = 0

    def refuses(*_: Any) -> bool:
        return True

    world.patch.setattr(federated.Aggregator, "_is_refused", refuses)
    assert world.run() == 143

    assert world.said()[-1] == End("it was stopped")


@pytest.mark.parametrize(
    ("answer", "expected"), [((400, b"stopped"), True), ((500, b"away"), False), ((200, b""), False)]
)
def test_whether_it_was_stopped_is_asked(world: World, answer: tuple[int, bytes], *, expected: bool) -> None:
    world.fake.answers = [answer]
    service = Service(world.fake.url, world.stop)
    parts: Any = (None, None, world.stop)
    kept = FederatedJob(world.settings(), service, world.stop)._kept

    found = federated.Aggregator(world.settings(), service, kept, parts[0], parts[2])._is_refused()

    assert found is expected


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"case": 6}, "CASE=6: federated incremental training does not exist"),
        ({"case": 7}, "CASE=7: federated distributed training does not exist"),
        ({"case": 8}, "CASE=8: federated distributed incremental training does not exist"),
        ({"case": 9}, "CASE=9: federated blockchain training does not exist"),
        ({"framework": "pth"}, "FRAMEWORK=pth: PyTorch models do not say which samples they take"),
    ],
    ids=str,
)
def test_what_this_version_cannot_do_is_refused(world: World, settings: dict[str, Any], reason: str) -> None:
    assert world.run(**settings) == 0

    assert world.reason().startswith(reason)
    assert world.steps == []


def test_an_error_of_the_models_code_is_the_reason(world: World) -> None:
    world.error = CodeError("line 3 of the code: ValueError: x")

    assert world.run() == 0

    assert world.reason() == "line 3 of the code: ValueError: x"


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"weights": {}},
        {"trained": [True, True]},
        {"trained": 3},
        {"input": ["x"]},
    ],
    ids=str,
)
def test_a_false_report_of_the_process_ends_the_training(world: World, found: dict[str, Any]) -> None:
    def process(task: str, request: dict[str, Any], *, folder: Path, **more: Any) -> Any:
        said = world.process(task, request, folder=folder, **more)
        return {**said, **found} if found else None

    world.patch.setattr(federated_model, "run", process)

    assert world.run() == 0

    assert world.reason() == "the code: it wrote into the report of its own process"


def test_an_untrained_model_must_be_finite(world: World) -> None:
    world.patch.setattr("tests.training.job.test_federated.FIRST", [np.full(2, np.inf, np.float32)])

    assert world.run() == 0

    assert world.reason() == (
        "the untrained model: array 0 of its weights has 2 numbers that are NaN, infinite or too large"
    )


def test_a_false_program_ends_the_training(world: World) -> None:
    def process(task: str, request: dict[str, Any], *, folder: Path, **more: Any) -> Any:
        said = world.process(task, request, folder=folder, **more)
        return said if request["step"] == "begin" else {"program": 3}

    world.patch.setattr(federated_model, "run", process)

    assert world.run() == 0

    assert world.reason() == "the code: it wrote into the report of its own process"


def test_what_keeps_it_from_kafka_is_reported(world: World) -> None:
    reports = list[dict[str, Any]]()
    world.patch.setattr("training.job.reporter.Reporter.progress", lambda _, fields: reports.append(fields))
    original = world.sender

    def sender(waiting: Any) -> Sender:
        waiting("topic x: Kafka does not answer")
        return original(waiting)

    world.patch.setattr(world, "sender", sender)

    assert world.run() == 0

    assert reports[0] == {"state": "waiting", "reason": "topic x: Kafka does not answer"}
    assert reports[1]["reason"] == "waiting for clients: 0 of at least 1 have joined"
    assert reports[-1]["state"] == "exporting"
    assert reports[-1]["clients"][0]["share"] == 1
