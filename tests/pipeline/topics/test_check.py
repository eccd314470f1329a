"""What a service does about its topics, and what it says."""

import logging
import threading
from typing import cast

import pytest
from confluent_kafka import KafkaError
from confluent_kafka.admin import AdminClient

from compose.broker import Broker
from pipeline.kafka import clients
from pipeline.service.workers import Pulse
from pipeline.topics import check, plan, survey
from pipeline.topics.check import TopicCheck
from pipeline.topics.plan import Plan
from tests.clock import Clock
from tests.pipeline.topics.fakes import FakeAdmin, failed

FRAMES = plan.frames("videocam", 8, 16_000_000)
STATES = plan.states("status")
SMALL = {**FRAMES.settings, "max.message.bytes": "1048588"}


def checking(admin: FakeAdmin, *plans: Plan) -> TopicCheck:
    return TopicCheck(plans or (FRAMES, STATES), "kafka:9092", lambda: cast("AdminClient", admin))


def test_a_missing_topic_of_frames_is_created_as_planned(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    admin = FakeAdmin()
    found = checking(admin)

    found.prepare()

    (new,) = admin.created
    assert (new.topic, new.num_partitions, new.replication_factor) == ("videocam", 8, -1)
    assert new.config == FRAMES.settings
    assert caplog.messages == ["topic videocam created with 8 partitions"]
    assert found.lines() == []


def test_no_topic_is_created_without_partitions() -> None:
    admin = FakeAdmin()

    checking(admin, plan.frames("videocam", 0, 16_000_000)).prepare()

    assert admin.created == []


def test_another_service_may_be_faster() -> None:
    admin = FakeAdmin()
    admin.refusal = failed(KafkaError.TOPIC_ALREADY_EXISTS)
    found = checking(admin)

    found.prepare()

    assert found.lines() == []


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (
            KafkaError.TOPIC_AUTHORIZATION_FAILED,
            "topic videocam cannot be created or seen, because Kafka does not permit this user to: allow"
            " CREATE and DESCRIBE with kafka-acls.sh, or create it: kafka-topics.sh",
        ),
        (
            KafkaError.POLICY_VIOLATION,
            "topic videocam cannot be created with the settings it needs (too large): kafka-topics.sh",
        ),
    ],
)
def test_a_refusal_is_reported_with_the_command(code: int, says: str) -> None:
    admin = FakeAdmin({"status": dict(STATES.settings)})
    admin.refusal = failed(code, "too large")
    found = checking(admin)

    found.prepare()

    (line,) = found.lines()
    assert line.startswith(says)
    assert " --topic videocam --partitions 8 " in line


def test_what_does_not_fit_is_logged_once_and_noted_until_it_fits(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(check, "time", Clock())
    admin = FakeAdmin({"videocam": dict(SMALL), "status": dict(STATES.settings)})
    found = checking(admin)

    for _ in range(3):
        found.step(1)
    (note,) = found.lines()
    admin.topics["videocam"] = dict(FRAMES.settings)
    found.step(1)

    assert note.startswith("topic videocam accepts messages of 1048588 bytes")
    assert caplog.messages == [note, "all topics fit now"]
    assert found.lines() == []


def test_settings_that_may_not_be_seen_are_named_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    admin = FakeAdmin({"videocam": dict(SMALL), "status": dict(STATES.settings)})
    admin.denied = {"videocam"}
    found = checking(admin)

    found.step(1)
    found.step(1)

    (line,) = caplog.messages
    assert line.startswith("topic videocam is not checked")
    assert "DESCRIBE_CONFIGS" in line
    assert found.lines() == []


def test_nothing_is_said_while_kafka_is_away(caplog: pytest.LogCaptureFixture) -> None:
    admin = FakeAdmin()
    admin.away = True
    found = checking(admin)

    found.prepare()

    assert admin.waited == [0.5]
    assert caplog.messages == []
    assert found.lines() == []


def test_a_check_is_repeated_only_as_long_as_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(check, "time", clock)
    admin = FakeAdmin()
    admin.away = True
    found = checking(admin)
    stopping = threading.Event()
    waits: list[float] = []

    def wait(timeout: float) -> bool:
        waits.append(timeout)
        clock.now += timeout
        if len(waits) == 2:
            admin.away = False
        if len(waits) == 4:
            admin.topics["status"] = dict(STATES.settings)
        if len(waits) > 20:
            stopping.set()
        return stopping.is_set()

    monkeypatch.setattr(stopping, "wait", wait)
    found.run(Pulse(stopping))

    # Twice while Kafka is away, once when it is back, and once more for the topic that was missing.
    assert len(admin.waited) == 4
    assert waits[:2] == [1.0, 1.0]
    assert max(waits) == 5.0


def test_the_embedded_broker_is_recognised_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answers to other requests would only time out."""
    monkeypatch.setattr(survey, "_ANSWER", 1_000)
    with Broker({"videocam": 4}) as broker:
        found = TopicCheck((FRAMES, STATES), broker.bootstrap, lambda: clients.admin(broker.bootstrap, {}))
        found.step(30)

        assert found.lines() == []
        assert found._due_at == float("inf")
