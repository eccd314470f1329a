"""Which control messages a job takes."""

import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import Producer

from tests.parts import embedded_broker
from training.code.supervise import StoppedError
from training.control.message import ControlMessage, compose
from training.data.ranges import Range
from training.job.control import ours, wait

MESSAGE = ControlMessage(300, (Range("digits", 0, 0, 10),), "RAW", {"data_type": "uint8"})


def test_only_messages_for_the_deployment_count() -> None:
    reasons = list[str]()
    key, value = compose(MESSAGE)

    assert ours(key, value, 300, reasons.append) == MESSAGE
    assert ours(b"\x01\x2c", value, 300, reasons.append) == MESSAGE
    assert ours(b"\x2c", value, 300, reasons.append) is None
    assert ours(None, value, 300, reasons.append) is None
    assert ours(bytes(100) + b"\x01" * 100, value, 300, reasons.append) is None
    assert reasons == []


@pytest.mark.parametrize("value", [None, b"", b"nonsense", b"[]", b"{}"], ids=range(5))
def test_the_reason_for_a_bad_message_is_reported(value: bytes | None) -> None:
    reasons = list[str]()

    assert ours(b"\x01\x2c", value, 300, reasons.append) is None
    assert len(reasons) == 1
    assert reasons[0].endswith("; waiting for another one")


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded_broker(tmp_path_factory.mktemp("broker")) as (address, _):
        yield address


@pytest.fixture
def topic() -> str:
    return f"control-{uuid.uuid4().hex}"


def send(bootstrap: str, topic: str, *messages: tuple[bytes, bytes]) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    for key, value in messages:
        producer.produce(topic, value, key)
    assert producer.flush(30) == 0


def waits(
    bootstrap: str, topic: str, since: datetime | None = None, stop: threading.Event | None = None
) -> ControlMessage:
    return wait(
        bootstrap,
        topic,
        300,
        since,
        config={},
        stop=stop or threading.Event(),
        waiting=lambda _: None,
    )


@pytest.mark.parts
def test_a_message_sent_before_is_found(bootstrap: str, topic: str) -> None:
    _, value = compose(MESSAGE)
    send(bootstrap, topic, (b"\x01", b"x"), (b"\x01\x2c", b"nonsense"), (b"\x01\x2c", value))

    assert waits(bootstrap, topic) == MESSAGE


@pytest.mark.parts
def test_a_message_sent_later_is_found_and_older_ones_are_not(bootstrap: str, topic: str) -> None:
    key, value = compose(MESSAGE)
    send(bootstrap, topic, (key, value))
    stop = threading.Event()
    threading.Timer(3, stop.set).start()

    with pytest.raises(StoppedError):
        waits(bootstrap, topic, datetime.now(UTC) + timedelta(minutes=1), stop)
    assert waits(bootstrap, topic, datetime.now(UTC) - timedelta(minutes=1)) == MESSAGE


@pytest.mark.parts
def test_the_topic_need_not_exist(bootstrap: str, topic: str) -> None:
    sender = threading.Timer(1, send, (bootstrap, topic, compose(MESSAGE)))
    sender.start()

    assert waits(bootstrap, topic) == MESSAGE
    sender.join()
