"""The command that prepares a Kafka."""

import pytest
from confluent_kafka import KafkaError

from compose.broker import Broker
from pipeline.cameras.settings import CamerasSettings
from pipeline.kafka import clients
from pipeline.topics import plan, rights
from pipeline.topics.__main__ import main
from pipeline.topics.settings import TopicsSettings
from tests.pipeline.topics.fakes import FakeAdmin, failed

ALL = ["videocam", "videodisplay", "status", "members", "cameras", "logouts"]


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> FakeAdmin:
    """A Kafka without topics, at the address in the settings."""
    fake = FakeAdmin()
    monkeypatch.setattr(clients, "admin", lambda *_: fake)
    monkeypatch.setenv("KAFKAPORT", "kafka:9092")
    return fake


def test_missing_topics_are_created_and_then_fit(
    admin: FakeAdmin, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.splitlines() == [f"topic {name}: created" for name in ALL]

    assert main([]) == 0
    assert capsys.readouterr().out.splitlines() == [f"topic {name}: fits" for name in ALL]
    assert [new.topic for new in admin.created] == ALL


def test_a_dry_run_creates_nothing(admin: FakeAdmin, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--dry-run"]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [f"topic {name} is missing" for name in ALL]
    assert all("kafka-topics.sh --bootstrap-server kafka:9092 --create" in line for line in lines)
    assert admin.created == []


def test_differences_are_shown(admin: FakeAdmin, capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    admin.topics["cameras"]["cleanup.policy"] = "delete"
    admin.denied = {"logouts"}
    admin.partitions = 2
    capsys.readouterr()

    assert main([]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("topic cameras has cleanup.policy=delete") for line in lines)
    assert "topic logouts: its settings cannot be seen: allow DESCRIBE_CONFIGS" in lines
    assert lines[0] == (
        "topic videocam has 2 partitions, expected 8 (PARTITIONS): kafka-topics.sh --bootstrap-server"
        " kafka:9092 --alter --topic videocam --partitions 8"
    )


def test_a_refusal_is_shown(admin: FakeAdmin, capsys: pytest.CaptureFixture[str]) -> None:
    admin.refusal = failed(KafkaError.CLUSTER_AUTHORIZATION_FAILED)

    assert main([]) == 1
    assert "allow CREATE and DESCRIBE" in capsys.readouterr().out


def test_a_kafka_that_is_away_is_named(admin: FakeAdmin, capsys: pytest.CaptureFixture[str]) -> None:
    admin.away = True

    assert main([]) == 2
    assert capsys.readouterr().err.startswith("Kafka does not answer at kafka:9092: ")


def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARTITIONS", "many")

    assert main([]) == 2
    assert capsys.readouterr().err.startswith("PARTITIONS='many': expected a whole number")


def test_the_embedded_broker_needs_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Broker() as broker:
        monkeypatch.setenv("KAFKAPORT", broker.bootstrap)
        assert main([]) == 0

    assert "is the embedded broker" in capsys.readouterr().out


def test_the_commands_are_printed_without_kafka(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOPICNAMEIN", "frames")
    monkeypatch.setenv("PARTITIONS", "0")

    assert main(["--print"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(
        "kafka-topics.sh --bootstrap-server localhost:19095 --create --if-not-exists --topic frames --config"
    )
    assert (
        "kafka-acls.sh --bootstrap-server localhost:19095 --add --allow-principal User:consumer"
        " --operation READ --operation DESCRIBE --topic frames" in lines
    )


def test_the_topic_of_cameras_is_planned_if_there_is_one() -> None:
    (planned,) = plan.listed(CamerasSettings(camerastopic="sheds"))

    assert (planned.name, planned.content) == ("sheds", "cameras")
    assert plan.listed(CamerasSettings()) == []


def test_each_topic_that_somebody_reads_is_written_by_somebody() -> None:
    names = {planned.name for planned in TopicsSettings().plans()}

    assert names == set(ALL)
    for operation in ("READ", "WRITE"):
        used = {
            name
            for topics in rights.RIGHTS.values()
            for name, operations in topics.items()
            if operation in operations
        }
        assert used == names
