"""What a service reports, and when."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Delivered
from confluent_kafka.cimpl import NewTopic

from compose.broker import Broker
from pipeline.kafka import clients, reporter, topics
from pipeline.kafka.reporter import Condition, Reporter, instance
from pipeline.service.values import Address
from pipeline.service.workers import Pulse
from pipeline.wire import figures, model_figures
from pipeline.wire.figures import CameraFigures, Dropped
from pipeline.wire.model_figures import ModelFigures
from pipeline.wire.status import Subject, decode, decode_key
from tests.clock import Clock

SUBJECT = Subject("producer", "host-1", "door")


class FakeProducer:
    """Keeps what is produced; its topics and its troubles are set by a test."""

    def __init__(self) -> None:
        self.topics = {"status"}
        self.away = False
        self.full = False
        self.produced: list[dict[str, Any]] = []
        self.removed: list[Subject] = []
        self.waiting: list[Callable[[KafkaError | None, Delivered | None], None]] = []
        self.flushed: list[float] = []

    def list_topics(self, *, timeout: float) -> SimpleNamespace:
        """Return all topics: a topic that is asked for by name may be created."""
        assert timeout <= 1
        if self.away:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        return SimpleNamespace(topics={name: SimpleNamespace(partitions={0: None}) for name in self.topics})

    def produce(self, topic: str, *, key: bytes, value: bytes | None, on_delivery: Any) -> None:
        """Keep a record."""
        assert topic == "status"
        if self.full:
            raise BufferError
        if value is None:
            self.removed.append(decode_key(key))
            return
        self.produced.append({"subject": decode_key(key), **json.loads(value)})
        self.waiting.append(on_delivery)

    def poll(self, timeout: float) -> None:
        """Do nothing: a test says what became of a record."""
        assert timeout == 0

    def flush(self, timeout: float) -> int:
        """Note the time."""
        self.flushed.append(timeout)
        return 0

    def report(self, code: int | None = None) -> None:
        """Report the fate of all records."""
        while self.waiting:
            self.waiting.pop()(None if code is None else KafkaError(code), None)


class FakeAdmin:
    """Creates topics, or fails as a test says."""

    def __init__(self, error: int | None = None) -> None:
        self.error = error
        self.created: list[NewTopic] = []

    def create_topics(self, topics: list[NewTopic], *, request_timeout: float) -> dict[str, Future[None]]:
        """Return the outcome for each topic."""
        assert request_timeout <= 3
        self.created += topics
        outcome: Future[None] = Future()
        if self.error is None:
            outcome.set_result(None)
        else:
            outcome.set_exception(KafkaException(KafkaError(self.error)))
        return {each.topic: outcome for each in topics}


class Kit:
    """A reporter, the condition that it finds, and its surroundings."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.producer = FakeProducer()
        self.condition: Condition = ("connecting", "not open yet")
        self.interval = 0.0
        self.reporter = Reporter(
            cast("Producer", self.producer),
            "status",
            SUBJECT,
            lambda: self.condition,
            health=Address("127.0.0.1", 9000),
            bootstrap="127.0.0.1:1",
            extra={},
            interval=lambda: self.interval,
        )

    def steps(self, count: int, every: float = 0.5) -> int:
        """Take steps; return how many records they sent."""
        before = len(self.producer.produced)
        for _ in range(count):
            self.reporter.step()
            self.clock.now += every
        return len(self.producer.produced) - before

    def run(self, looks: int = 1) -> None:
        """Run the worker for so many looks."""
        pulse = Pulse(threading.Event())
        beats = iter(range(looks))

        def beat() -> None:
            if next(beats) == looks - 1:
                pulse.stopping.set()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reporter, "_LOOK_EVERY", 0.001)
            patch.setattr(Pulse, "beat", lambda _: beat())
            self.reporter.run(pulse)

    @property
    def said(self) -> list[tuple[str, str | None]]:
        """The states and reasons sent."""
        return [(each["state"], each["reason"]) for each in self.producer.produced]


@pytest.fixture
def kit(monkeypatch: pytest.MonkeyPatch) -> Kit:
    """A reporter at a time that only tests move on."""
    clock = Clock()
    monkeypatch.setattr(reporter, "time", clock)
    return Kit(clock)


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> FakeAdmin:
    """What creates topics."""
    fake = FakeAdmin()
    monkeypatch.setattr(clients, "admin", lambda *_: fake)
    return fake


def test_a_record_says_who_and_how_and_since_when(kit: Kit) -> None:
    kit.run()

    assert kit.producer.produced == [
        {
            "subject": SUBJECT,
            "state": "connecting",
            "reason": "not open yet",
            "since": "2001-09-09T01:46:40Z",
            "health": "127.0.0.1:9000",
        }
    ]


def test_a_state_is_repeated_every_ten_seconds(kit: Kit) -> None:
    assert kit.steps(61) == 4


def test_a_change_is_reported_when_it_is_found(kit: Kit) -> None:
    kit.steps(2)
    kit.condition = ("no-signal", "wrong password")
    kit.steps(2)
    kit.condition = ("no-signal", "wrong path")
    kit.steps(2)
    kit.condition = ("live", None)
    kit.steps(2)

    assert kit.said == [
        ("connecting", "not open yet"),
        ("no-signal", "wrong password"),
        ("no-signal", "wrong path"),
        ("live", None),
    ]
    since = [each["since"][-3:-1] for each in kit.producer.produced]
    assert since == ["40", "41", "41", "43"], "another reason for the same state does not change since when"


def test_a_cameras_interval_is_reported_at_once_only_if_it_grows_notably(kit: Kit) -> None:
    sent = []
    for kit.interval in (0.04, 0.5, 10, 14, 16, 0.04, 10, 10):
        kit.steps(1)
        sent.append(kit.producer.produced[-1].get("interval", 0.0))
    kit.interval = 0.04
    kit.steps(21)

    assert sent == [0.04, 0.04, 10, 10, 16, 16, 16, 16]
    assert kit.producer.produced[-1]["interval"] == 0.04


def test_passwords_are_masked(kit: Kit) -> None:
    kit.condition = ("no-signal", "cannot open rtsp://joe:hunter2@camera/x: refused")

    kit.steps(1)

    ((_, reason),) = kit.said
    assert reason == "cannot open rtsp://joe:***@camera/x: refused"


def test_what_a_link_is_to_look_like_is_not_masked(kit: Kit) -> None:
    kit.condition = ("no-signal", "expected http://USER:PASSWORD@..., not http://joe:hunter2@camera")

    kit.steps(1)

    ((_, reason),) = kit.said
    assert reason == "expected http://USER:PASSWORD@..., not http://joe:***@camera"


@pytest.mark.parametrize(
    "code", [KafkaError._MSG_TIMED_OUT, KafkaError._PURGE_QUEUE, KafkaError.INVALID_RECORD]
)
def test_what_was_not_delivered_is_sent_again_in_its_newest_form(kit: Kit, code: int) -> None:
    kit.steps(1)
    kit.producer.report(code)
    kit.condition = ("live", None)
    kit.steps(1)
    kit.producer.report(code)
    kit.steps(1)
    kit.producer.report()
    kit.steps(10)

    assert kit.said == [("connecting", "not open yet"), ("live", None), ("live", None)]


def test_a_full_queue_costs_nothing_but_time(kit: Kit) -> None:
    kit.producer.full = True
    kit.steps(3)
    kit.producer.full = False
    kit.steps(3)

    assert len(kit.said) == 1


def test_only_errors_that_frames_do_not_show_are_logged(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    kit.steps(1)
    kit.producer.report(KafkaError._MSG_TIMED_OUT)
    kit.steps(1)
    kit.producer.report(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    kit.steps(1)
    kit.producer.report(KafkaError.TOPIC_AUTHORIZATION_FAILED)

    (line,) = caplog.messages
    assert "topic status" in line


def test_the_end_is_reported(kit: Kit) -> None:
    kit.run()
    kit.clock.now += 5

    kit.reporter.close()

    assert kit.said[-1] == ("stopped", None)
    assert kit.producer.produced[-1]["since"] == "2001-09-09T01:46:45Z"
    assert kit.producer.flushed == [0.5]


def test_without_kafka_the_end_does_not_wait(kit: Kit) -> None:
    kit.producer.away = True
    kit.run(looks=3)

    kit.reporter.close()

    assert kit.said == []
    assert kit.producer.flushed == []


def test_the_topic_is_created_compacted(kit: Kit, admin: FakeAdmin) -> None:
    kit.producer.topics = {"videocam"}

    kit.run(looks=3)

    (topic,) = admin.created
    assert topic.num_partitions == 1
    assert topic.replication_factor == -1, "the broker's default"
    assert topic.config
    assert "compact" in topic.config["cleanup.policy"]
    assert len(kit.said) == 1


def test_a_topic_that_exists_is_left_as_it_is(kit: Kit, admin: FakeAdmin) -> None:
    kit.run()

    assert admin.created == []


@pytest.mark.parametrize(
    "code",
    [KafkaError.TOPIC_ALREADY_EXISTS, KafkaError._TIMED_OUT, KafkaError.CLUSTER_AUTHORIZATION_FAILED],
)
def test_a_topic_that_cannot_be_created_is_written_to_all_the_same(
    kit: Kit, admin: FakeAdmin, code: int
) -> None:
    kit.producer.topics = set()
    admin.error = code

    kit.run(looks=3)

    assert len(admin.created) == 1
    assert len(kit.said) == 1


def test_nothing_is_created_while_kafka_is_away(kit: Kit, admin: FakeAdmin) -> None:
    kit.producer.topics = set()
    kit.producer.away = True

    kit.run(looks=3)

    assert admin.created == []
    assert kit.said == []


def test_the_health_port_is_named_with_the_address_that_others_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert reporter._reachable(Address("", 9000), "127.0.0.1:9092,other:1") == "127.0.0.1:9000"
    assert reporter._reachable(Address("::1", 9000), "127.0.0.1:9092") == "[::1]:9000"
    assert reporter._reachable(Address("127.0.0.1", 9000), "[::1]:9092") == "127.0.0.1:9000"

    monkeypatch.setattr("socket.gethostname", lambda: "me")
    assert reporter._reachable(Address("", 9000), "no-such-host.invalid:1") == "me:9000"


def test_the_health_port_is_named_with_the_address_that_others_reach_over_ipv6(ipv6: str) -> None:
    assert reporter._reachable(Address("", 9000), f"[{ipv6}]:9092,other:1") == f"[{ipv6}]:9000"


def test_figures_are_sent_every_two_seconds(kit: Kit) -> None:
    door = CameraFigures(25, 12.5, 0.041, {"not_due": Dropped(130, 12.5)})
    kit.reporter._figures = lambda: {"door": door}

    kit.steps(9)

    sent = [each for each in kit.producer.produced if each["subject"].service == "figures"]
    assert [each["time"] - sent[0]["time"] for each in sent] == [0, 2, 4]
    assert {each["subject"] for each in sent} == {Subject("figures", "host-1.0")}
    assert (sent[0]["service"], sent[0]["instance"]) == ("producer", "host-1")
    assert figures.decode(json.dumps(sent[0], default=str).encode()).cameras == {"door": door}


def test_figures_of_models_are_sent_with_them_and_hide_secrets(kit: Kit) -> None:
    trouble = "http://ann:secret@host/ does not answer"
    kit.reporter._figures = dict
    kit.reporter._models = lambda: {"imagenet_1": ModelFigures("tfserving:8501", trouble, 21.5, 40.0)}

    kit.steps(1)

    (sent,) = [each for each in kit.producer.produced if each["subject"].instance == "host-1.models"]
    (found,) = model_figures.decode(json.dumps(sent, default=str).encode()).models.values()
    assert found == ModelFigures("tfserving:8501", "http://ann:***@host/ does not answer", 21.5, 40.0)


def test_figures_that_cannot_be_sent_are_not_sent_again(kit: Kit) -> None:
    kit.reporter._figures = dict
    kit.producer.full = True
    kit.steps(1)
    kit.producer.full = False

    assert kit.steps(3) == 1, "the state"


def test_each_process_has_its_own_name_which_fits_into_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {instance() for _ in range(10)}
    monkeypatch.setattr("socket.gethostname", lambda: "é/ü host." + "x" * 300)
    odd = instance()

    assert len(names) == 10
    for name in (*names, odd):
        assert decode_key(f"video/{name}".encode()) == Subject("video", name)


def test_a_broker_that_cannot_create_topics_gets_the_records_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(topics, "_ANSWER", 0.2)
    delivered: list[bytes] = []
    with Broker() as broker:
        producer = clients.producer(broker.bootstrap, "none", {})
        said = Reporter(
            producer,
            "status",
            SUBJECT,
            lambda: ("live", None),
            health=Address("", 9000),
            bootstrap=broker.bootstrap,
            extra={},
        )
        pulse = Pulse(threading.Event())
        thread = threading.Thread(target=said.run, args=(pulse,))
        thread.start()
        reader = clients.consumer(broker.bootstrap, "g", 0.01, {"auto.offset.reset": "earliest"})
        reader.subscribe(["status"])
        while len(delivered) < 1:
            message = reader.poll(0.2)
            if message is not None and message.error() is None:
                delivered.append(message.value() or b"")
        pulse.stopping.set()
        thread.join(10)
        said.close()
        reader.close()

    assert decode(SUBJECT, delivered[0]).state == "live"


def test_cameras_come_and_go(kit: Kit) -> None:
    hall = Subject("producer", "host-1", "hall")
    kit.reporter.add(hall, lambda: ("live", None), lambda: 0.04)
    kit.steps(1)
    assert [(each["subject"], each["state"]) for each in kit.producer.produced] == [
        (SUBJECT, "connecting"),
        (hall, "live"),
    ]

    kit.reporter.drop(hall, has_moved=False)
    kit.steps(1)
    kit.steps(30)

    assert kit.producer.removed == [hall]
    assert [each["subject"] for each in kit.producer.produced[2:]] == [SUBJECT]


def test_another_process_reports_a_camera_that_has_moved_before_its_record_is_removed(kit: Kit) -> None:
    hall = Subject("producer", "host-1", "hall")
    kit.reporter.add(hall, lambda: ("live", None))
    kit.steps(1)

    kit.reporter.drop(hall, has_moved=True)
    kit.steps(3)
    assert not kit.producer.removed
    kit.steps(3)

    assert kit.producer.removed == [hall]


def test_the_record_of_a_camera_that_comes_back_is_not_removed(kit: Kit) -> None:
    hall = Subject("producer", "host-1", "hall")
    kit.reporter.add(hall, lambda: ("live", None))
    kit.steps(1)

    kit.reporter.drop(hall, has_moved=True)
    kit.reporter.add(hall, lambda: ("paused", None))
    kit.steps(10)

    assert not kit.producer.removed
    assert kit.producer.produced[-1]["state"] == "paused"


def test_all_cameras_stop_with_their_process(kit: Kit) -> None:
    hall = Subject("producer", "host-1", "hall")
    kit.reporter.add(hall, lambda: ("live", None))
    kit.run()

    kit.reporter.close()

    stopped = [each["subject"] for each in kit.producer.produced if each["state"] == "stopped"]
    assert stopped == [SUBJECT, hall]
