"""Which control messages a job takes."""

import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, KafkaError, Message, Producer

from pipeline.kafka import clients
from tests.parts import embedded_broker
from tests.training.kafka import AWAY, DENIED, FakeKafka, FakePartition, event
from training.code.supervise import StoppedError
from training.control.message import ControlMessage, compose
from training.data.ranges import Range
from training.job import control
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


@pytest.mark.parametrize(("deployment", "number"), [(1, 49), (12, 12594)])
def test_an_id_that_was_sent_as_text_is_noted(deployment: int, number: int) -> None:
    """As by Kafka-ML's sinks with a text for the id: they send it, and no job ever takes it."""
    reasons = list[str]()
    key, value = str(deployment).encode(), compose(MESSAGE)[1]

    assert ours(key, value, deployment, reasons.append) is None

    assert f"'{deployment}' as its key, which means deployment {number}" in reasons[0]
    assert ours(key, value, number, reasons.append) is not None
    assert len(reasons) == 1


@pytest.mark.parametrize("value", [None, b"", b"nonsense", b"[]", b"{}"], ids=range(5))
def test_the_reason_for_a_bad_message_is_reported(value: bytes | None) -> None:
    reasons = list[str]()

    assert ours(b"\x01\x2c", value, 300, reasons.append) is None
    assert len(reasons) == 1
    assert reasons[0].endswith("; waiting for another one")


class World:
    """A Kafka, and what a job says while it waits."""

    def __init__(self) -> None:
        self.kafka = FakeKafka()
        self.stop = threading.Event()
        self.reasons = list[str]()
        self.later = deque[Callable[[], object]]()
        self.kafka.between = self._go_on

    def _go_on(self, _: Any) -> None:
        """Do what is next each time the job asks for messages; then stop it."""
        (self.later.popleft() if self.later else self.stop.set)()

    def do(self, *acts: Callable[[], object]) -> None:
        """Do this later; look at the topic after each."""
        for act in acts:
            self.later += [act, lambda: self.kafka.clock.sleep(2), lambda: None]

    def wait(self, since: datetime | None = None) -> ControlMessage | None:
        """Return the control message, or None if there is none."""
        try:
            return wait(
                "kafka:9092", "control", 300, since, config={}, stop=self.stop, waiting=self.reasons.append
            )
        except StoppedError:
            return None
        finally:
            assert self.kafka.consumers[-1].is_closed

    def send(self, key: bytes | None, value: bytes | None, partition: int = 0, sent: int = 1) -> None:
        self.kafka.write("control", value, key, partition, sent)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    found = World()
    monkeypatch.setattr(clients, "consumer", found.kafka.consumer)
    monkeypatch.setattr(control, "time", found.kafka.clock)
    return found


KEY, VALUE = compose(MESSAGE)
WAITS = "waiting for a control message for deployment 300 on topic control"


def test_the_first_message_for_the_deployment_is_taken(world: World) -> None:
    world.kafka.add("control")
    world.send(b"\x01", b"x")
    world.send(KEY, VALUE)
    world.send(KEY, compose(replace(MESSAGE, description="later"))[1])
    world.do(*[lambda: None] * 3)

    assert world.wait() == MESSAGE
    assert world.reasons == [WAITS]


def test_a_message_that_cannot_be_used_is_named_until_another_one_comes(world: World) -> None:
    world.kafka.add("control")
    world.send(KEY, b"nonsense")
    world.do(lambda: None, lambda: world.send(KEY, VALUE))

    assert world.wait() == MESSAGE
    assert world.reasons[0] == WAITS
    assert "invalid JSON" in world.reasons[1]
    assert len(world.reasons) == 2


@pytest.mark.parametrize("value", [None, b""], ids=["null", "empty"])
def test_a_message_without_a_value_is_named_until_another_one_comes(
    world: World, value: bytes | None
) -> None:
    world.kafka.add("control")
    world.send(KEY, value)
    world.do(lambda: None, lambda: world.send(KEY, VALUE))

    assert world.wait() == MESSAGE
    assert world.reasons == [
        WAITS,
        "control message without a value: expected a JSON object; waiting for another one",
    ]


def test_older_messages_do_not_count(world: World) -> None:
    world.kafka.add("control")
    world.send(KEY, VALUE, sent=999)
    world.do(lambda: None)
    since = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert world.wait(since) is None

    world.stop.clear()
    world.send(KEY, VALUE, sent=1000)
    world.do(lambda: None)
    assert world.wait(since) == MESSAGE


def test_a_message_without_a_time_counts(world: World) -> None:
    world.kafka.add("control")
    world.kafka.topics["control"][0].messages[0] = Message(
        topic="control", partition=0, offset=0, key=KEY, value=VALUE, timestamp=(TIMESTAMP_NOT_AVAILABLE, 0)
    )
    world.do(lambda: None)

    assert world.wait(datetime.now(UTC)) == MESSAGE


def test_a_topic_that_is_created_later_is_read_from_its_beginning(world: World) -> None:
    def create() -> None:
        world.kafka.add("control")
        world.send(KEY, VALUE)

    world.do(lambda: None, create)

    assert world.wait() == MESSAGE
    assert world.reasons == [WAITS]


def test_partitions_that_are_added_later_are_read_too(world: World) -> None:
    def add() -> None:
        world.kafka.topics["control"].append(FakePartition())
        world.send(KEY, VALUE, 1)

    world.kafka.add("control")
    world.do(lambda: None, add)

    assert world.wait() == MESSAGE


def test_what_keeps_it_from_the_topic_is_said_while_it_lasts(world: World) -> None:
    world.kafka.add("control")
    world.do(
        lambda: world.kafka.troubles.append(AWAY),
        lambda: world.kafka.errors.update(control=DENIED),
        world.kafka.errors.clear,
        lambda: world.send(KEY, VALUE),
    )

    assert world.wait() == MESSAGE
    assert len(world.reasons) == 4
    assert world.reasons[0] == WAITS
    assert world.reasons[1] == "topic control: Kafka does not answer"
    assert "does not permit this user to read topic control" in world.reasons[2]
    assert world.reasons[3] == WAITS


def test_a_topic_that_may_be_seen_but_not_read_is_a_reason(world: World) -> None:
    """Kafka says so once, instead of a message."""
    world.kafka.add("control")
    world.do(
        lambda: world.kafka.consumers[0].events.append(
            event(KafkaError.TOPIC_AUTHORIZATION_FAILED, "control", 0)
        ),
        lambda: world.kafka.consumers[0].events.append(event(KafkaError._TRANSPORT, "control", 0)),
        lambda: world.send(b"\1", VALUE),
        lambda: world.send(KEY, VALUE),
    )

    assert world.wait() == MESSAGE
    assert len(world.reasons) == 3
    assert "does not permit this user to read topic control" in world.reasons[1]
    assert world.reasons[2] == WAITS


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
