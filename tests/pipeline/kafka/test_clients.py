from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition

from pipeline.kafka import causes, clients
from pipeline.service.logs import Seldom
from pipeline.service.settings import SettingsError

NOWHERE = "127.0.0.1:1"


@contextmanager
def purged(producer: Producer) -> Iterator[Producer]:
    yield producer
    producer.purge()
    producer.flush(5)


def room(producer: Producer, size: int) -> int:
    """Return how many messages of `size` bytes the queue takes."""
    for count in range(2_000):
        try:
            producer.produce("topic", bytes(size))
        except BufferError:
            return count
    raise AssertionError("the queue has no end")


def test_the_queue_is_bounded_in_frames() -> None:
    with purged(clients.producer(NOWHERE, "none", {})) as producer:
        assert room(producer, 10) == 1_000


def test_the_queue_is_bounded_in_bytes() -> None:
    with purged(clients.producer(NOWHERE, "none", {})) as producer:
        assert room(producer, 10_000_000) == 13  # 128 MiB


def test_a_frame_of_many_megabytes_fits_in_the_queue() -> None:
    with purged(clients.producer(NOWHERE, "none", {})) as producer:
        assert room(producer, 50_000_000) > 0


def test_kafkaconfig_overrides_the_producers_configuration() -> None:
    with purged(clients.producer(NOWHERE, "none", {"queue.buffering.max.messages": 2})) as producer:
        assert room(producer, 10) == 2


def test_kafkaconfig_overrides_the_consumers_configuration() -> None:
    with pytest.raises(SettingsError, match=r"`max\.poll\.interval\.ms`"):
        # That it does not go with the session's length shows that it arrived.
        clients.consumer(NOWHERE, "group", 0.1, {"max.poll.interval.ms": 100})


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        ({"no.such.thing": "hunter2"}, "no.such.thing"),
        ({"security.protocol": "hunter2"}, "security.protocol"),
        ({"socket.timeout.ms": "hunter2"}, "socket.timeout.ms"),
        ({"on_delivery": "hunter2"}, "on_delivery"),
        ({"error_cb": "hunter2"}, "error_cb"),
    ],
)
def test_a_setting_that_librdkafka_rejects_is_reported_without_its_value(
    extra: dict[str, Any], name: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        clients.producer(NOWHERE, "none", extra)

    text = str(caught.value)
    assert text.startswith("KAFKACONFIG='***': ")
    assert name in text
    assert "hunter2" not in text
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize("name", ["ssl.ca.location", "ssl.certificate.location", "ssl.key.location"])
def test_a_certificate_that_is_missing_is_said_to_be(name: str, tmp_path: Path) -> None:
    file = tmp_path / "hunter2.pem"
    extra = {"security.protocol": "SSL", name: str(file)}

    with pytest.raises(SettingsError) as missing:
        clients.producer(NOWHERE, "none", extra)
    file.write_text("nonsense")
    with pytest.raises(SettingsError) as damaged:
        clients.consumer(NOWHERE, "group", 0.1, extra)

    assert (
        str(missing.value)
        == f"KAFKACONFIG='***': {name}: there is no such file, or this user may not read it"
    )
    assert str(damaged.value).startswith(f"KAFKACONFIG='***': Failed to create consumer: {name} failed: ")


def test_the_same_applies_to_a_consumer() -> None:
    with pytest.raises(SettingsError, match=r'^KAFKACONFIG=.*"no.such.thing"'):
        clients.consumer(NOWHERE, "group", 0.1, {"no.such.thing": "hunter2"})


def test_an_unreachable_broker_is_logged_and_not_printed(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(causes, "_seldom", Seldom(causes.log))
    with purged(clients.producer(NOWHERE, "none", {})) as producer:
        while not caplog.messages:
            producer.poll(0.1)

    assert caplog.messages[0].startswith(f"Kafka does not answer at {NOWHERE} (connection refused): ")
    assert capfd.readouterr() == ("", "")


class FakeConsumer:
    def __init__(self) -> None:
        self.assigned: list[TopicPartition] = []

    def incremental_assign(self, partitions: list[TopicPartition]) -> None:
        self.assigned += partitions


def test_new_partitions_are_read_from_their_ends_whatever_was_committed() -> None:
    fake = FakeConsumer()

    clients.from_the_end(cast("Consumer", fake), [TopicPartition("videocam", n, 17) for n in range(2)])

    assert [(p.topic, p.partition, p.offset) for p in fake.assigned] == [
        ("videocam", 0, OFFSET_END),
        ("videocam", 1, OFFSET_END),
    ]


def test_without_a_mechanism_for_sasl_the_message_names_the_setting() -> None:
    with pytest.raises(
        SettingsError, match=r"^KAFKACONFIG='\*\*\*': expected sasl\.mechanism, such as PLAIN"
    ):
        clients.producer(NOWHERE, "none", {"security.protocol": "SASL_PLAINTEXT"})
