"""What is read from the status topic."""

from types import SimpleNamespace
from typing import cast

import pytest
from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_CREATE_TIME,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from prometheus_client import REGISTRY

from pipeline.wire import model_figures
from pipeline.wire.figures import CameraFigures, Figures, encode
from pipeline.wire.model_figures import ModelFigures, Models
from pipeline.wire.status import Status, encode_key, encode_value
from tests.clock import Clock
from tests.video.cameras.statuses import a_status
from video.cameras.processes import Processes
from video.cameras.status_topic import StatusTopic

DOOR = a_status("no-signal", "wrong password")


class FakeMessage:
    """A message that was written at a time, in s."""

    def __init__(self, key: bytes, value: bytes | None, at: float, error: KafkaError | None = None) -> None:
        self.key, self.value, self.error = (lambda: key), (lambda: value), (lambda: error)
        self._at = at

    def timestamp(self) -> tuple[int, int]:
        """Return the kind of timestamp, and ms."""
        return TIMESTAMP_CREATE_TIME, round(1000 * self._at)

    def partition(self) -> int:
        """Return a number."""
        return 0

    def offset(self) -> int:
        """Return a number."""
        return 17


class FakeConsumer:
    """Hands out messages; knows the topics that a test names."""

    def __init__(self) -> None:
        self.topics: dict[str, list[int]] = {}
        self.messages: list[FakeMessage] = []
        self.assigned: list[TopicPartition] = []
        self.away = False
        self.asked = 0

    def list_topics(self, *, timeout: float) -> SimpleNamespace:
        """Return all topics: a topic that is asked for by name may be created."""
        assert timeout <= 1
        self.asked += 1
        if self.away:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        found = {name: SimpleNamespace(partitions=dict.fromkeys(each)) for name, each in self.topics.items()}
        return SimpleNamespace(topics=found)

    def incremental_assign(self, partitions: list[TopicPartition]) -> None:
        """Note them."""
        self.assigned += partitions

    def poll(self, timeout: float) -> FakeMessage | None:
        """Return the next message."""
        assert timeout <= 1
        return self.messages.pop(0) if self.messages else None


class Kit:
    """The topic and what was read from it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.consumer = FakeConsumer()
        self.read: list[tuple[Status, float]] = []
        sink = lambda status, age: self.read.append((status, age))  # noqa: E731
        self.processes = Processes("me")
        self.topic = StatusTopic(cast("Consumer", self.consumer), "status", sink, self.processes)

    def take(self, value: bytes | None, key: bytes = encode_key(DOOR.subject), age: float = 0) -> None:
        """Read a message."""
        self.consumer.messages.append(FakeMessage(key, value, self.clock.now - age))
        self.topic.step()


@pytest.fixture
def kit(monkeypatch: pytest.MonkeyPatch) -> Kit:
    """A topic of one partition, at a time that only tests move on."""
    clock = Clock()
    for module in ("video.cameras.status_topic", "video.cameras.processes", "pipeline.kafka.records"):
        monkeypatch.setattr(f"{module}.time", clock)
    kit = Kit(clock)
    kit.consumer.topics = {"status": [0]}
    return kit


def bad(kind: str) -> float:
    """Return how many bad records were counted."""
    return REGISTRY.get_sample_value("streamlens_bad_status_records_total", {"kind": kind}) or 0.0


def test_the_whole_topic_is_read_from_its_beginning(kit: Kit) -> None:
    kit.topic.step()
    kit.topic.step()

    assert [(each.partition, each.offset) for each in kit.consumer.assigned] == [(0, OFFSET_BEGINNING)]
    assert kit.consumer.asked == 1


def test_a_topic_that_is_not_there_yet_is_looked_for(kit: Kit) -> None:
    kit.consumer.topics = {"videocam": [0]}
    kit.consumer.away = True
    kit.topic.step()
    kit.consumer.away = False
    for _ in range(3):
        kit.clock.now += 1.1
        kit.topic.step()
    kit.consumer.topics["status"] = [0, 1]
    kit.clock.now += 1.1
    kit.topic.step()

    assert [each.partition for each in kit.consumer.assigned] == [0, 1]


def test_a_record_is_handed_on_with_its_age(kit: Kit) -> None:
    kit.take(encode_value(DOOR), age=7)

    assert kit.read == [(DOOR, 7)]


def test_old_records_are_ignored(kit: Kit) -> None:
    kit.take(encode_value(DOOR), age=61)
    kit.take(b"nonsense", age=61)

    assert kit.read == []


def test_a_tombstone_is_a_processs_last_word(kit: Kit) -> None:
    kit.take(None, age=2)

    ((status, age),) = kit.read
    assert (status.subject, status.state, age) == (DOOR.subject, "stopped", 2)


def test_figures_go_to_the_processes_alone(kit: Kit) -> None:
    door = {"door": CameraFigures(25.0, 25.0, 0.1)}
    ((key, value),) = encode(Figures("producer", "a", kit.clock.now, door))
    count = bad("bad_figures")

    kit.take(encode_value(DOOR))
    kit.take(value, key)
    kit.take(b"{}", key)
    kit.take(None, key)

    (process,) = kit.processes.current()
    assert (process.service, process.instance, process.figures) == ("producer", "a", door)
    assert len(kit.read) == 1
    assert bad("bad_figures") - count == 1


def test_records_that_are_too_old_although_they_keep_coming_are_noticed(kit: Kit) -> None:
    for _ in range(3):
        kit.take(encode_value(DOOR), age=61)
        kit.clock.now += 10

    assert "61 s old" in kit.processes.notes()[0]


def test_what_is_not_a_record_is_counted_logged_and_skipped(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    keys, values = bad("bad_key"), bad("bad_state")

    kit.take(encode_value(DOOR), key=b"door")
    kit.take(b"{}")
    kit.take(b"{}")
    kit.take(encode_value(DOOR))

    assert (bad("bad_key") - keys, bad("bad_state") - values) == (1, 2)
    assert len(caplog.messages) == 2
    assert len(kit.read) == 1


def test_errors_of_kafka_are_logged_and_survived(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    error = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
    kit.consumer.messages.append(FakeMessage(b"", None, 0, error))
    kit.topic.step()
    kit.take(encode_value(DOOR))

    assert len(caplog.messages) == 1
    assert len(kit.read) == 1


def test_figures_of_models_go_to_the_process_that_asks_them(kit: Kit) -> None:
    models = {"imagenet_1": ModelFigures("tfserving:8501", None, 21.5, 40.0)}
    ((key, value),) = encode(Figures("consumer", "a", kit.clock.now, {}))
    kit.take(encode_value(a_status("ready", camera="", service="consumer")), b"consumer/a")
    kit.take(value, key)

    key, value = model_figures.encode(Models("consumer", "a", models), kit.clock.now)
    kit.take(value, key)

    (process,) = kit.processes.current()
    assert process.models == models
    count = bad("bad_figures")
    kit.take(b"{}", key)
    assert bad("bad_figures") - count == 1
