"""The clients of a Kafka, and the topics that are created."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest
from confluent_kafka import Consumer

from pipeline.kafka import clients
from pipeline.kafka.causes import Causes
from training.code.supervise import StoppedError
from training.federated import exchange
from training.federated.exchange import Kafka


class FakeTopic:
    """Stands in for topics: created at the second attempt."""

    made: dict[str, Mapping[str, str]]
    attempts: int

    def __init__(self, name: str, settings: Mapping[str, str], admin: object) -> None:
        self._name, self._settings, self._admin = name, settings, admin

    def prepare(self, _: object) -> bool:
        FakeTopic.attempts += 1
        if FakeTopic.attempts == 1:
            return False
        self.made[self._name] = self._settings
        return True


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The settings of all clients that are made, and the topics."""
    found = list[Any]()
    FakeTopic.made, FakeTopic.attempts = {}, 0
    monkeypatch.setattr(exchange, "Topic", FakeTopic)
    monkeypatch.setattr(exchange, "_RETRY", 0.001)
    for name in ("consumer", "producer"):
        monkeypatch.setattr(clients, name, lambda *options: found.append(options))
    return found


def test_clients_have_the_settings_that_are_given(given: list[Any], stop: threading.Event) -> None:
    kafka = Kafka("kafka:9092", {"security.protocol": "SSL"}, stop)

    kafka.follower()
    kafka.sender()

    (bootstrap, _, _, reads, causes), (_, compression, writes, _) = given
    assert (bootstrap, compression) == ("kafka:9092", "none")
    assert isinstance(causes, Causes)
    assert reads["security.protocol"] == writes["security.protocol"] == "SSL"
    assert reads["allow.auto.create.topics"] is False
    assert (writes["acks"], writes["enable.idempotence"]) == ("all", True)


def test_topics_keep_what_is_said_and_weights_for_a_day(given: list[Any], stop: threading.Event) -> None:
    consumer: Consumer = Kafka("kafka:9092", {}, stop).consumer()
    kafka = Kafka("kafka:9092", {}, stop)

    kafka.create(consumer, "one", "two")
    kafka.create(consumer, "weights", weights=True)

    assert FakeTopic.made == {
        "one": {"retention.ms": "-1"},
        "two": {"retention.ms": "-1"},
        "weights": {"retention.ms": "86400000"},
    }
    assert len(given) == 1


@pytest.mark.usefixtures("given")
def test_creating_can_be_stopped(stop: threading.Event) -> None:
    stop.set()
    kafka = Kafka("kafka:9092", {}, stop)

    with pytest.raises(StoppedError):
        kafka.create(kafka.consumer(), "one")
