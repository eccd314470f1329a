"""What services say when they cannot use Kafka, through their own publisher and reader."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka.admin import AclOperation  # type: ignore[attr-defined]

from pipeline.flow.ledger import Ledger
from pipeline.kafka import clients
from pipeline.kafka.causes import Causes
from pipeline.kafka.publisher import Publisher
from pipeline.kafka.reader import Reader
from pipeline.kafka.topics import Topic
from pipeline.wire.frame import Message
from tests.compatibility.with_kafka import SEEN, TOPIC, TROUBLE, Side, Trouble
from tests.guarded import GuardedKafka
from tests.parts import wait_for

Says = Callable[[], str | None]


@pytest.fixture(scope="session")
def kafka(guarded_kafka: GuardedKafka) -> GuardedKafka:
    """A Kafka with two topics."""
    guarded_kafka.create(TOPIC, SEEN)
    guarded_kafka.allow(AclOperation.DESCRIBE, SEEN)
    return guarded_kafka


@contextmanager
def writing(bootstrap: str, topic: str, config: dict[str, Any], size: int = 100) -> Iterator[Says]:
    """Publish a frame whenever the function is called, which returns why frames do not reach the topic."""
    causes = Causes(bootstrap)
    client = clients.producer(bootstrap, "none", config, causes)
    publisher = Publisher(client, topic, Ledger(), causes)

    def says() -> str | None:
        publisher.publish(Message(b"front", bytes(size), []), camera="front", captured=0)
        publisher.probe()
        return publisher.unready()

    yield says
    client.purge()  # closing would wait for these frames
    publisher.close()


@contextmanager
def reading(bootstrap: str, topic: str, config: dict[str, Any]) -> Iterator[Says]:
    """Read whenever the function is called, which returns why no frames come."""
    causes = Causes(bootstrap)
    consumer = clients.consumer(bootstrap, "group", 0.005, config, causes)
    reader = Reader(consumer, topic, lambda *_: None, Ledger(), 1, causes=causes)

    def says() -> str | None:
        reader.step(0.05)
        return reader.unready()

    yield says
    reader.close()


def line(text: str | None) -> str:
    """Return what was said, with a word for addresses that differ from run to run."""
    return re.sub(r"127\.0\.0\.1:\d+", "HOST:PORT", text or "")


@pytest.mark.parametrize(
    ("trouble", "side"),
    [pytest.param(each, side, id=f"{each.what}, {side}") for each in TROUBLE for side in each.sides],
)
def test_what_a_service_says_is_what_the_page_says(kafka: GuardedKafka, trouble: Trouble, side: Side) -> None:
    bootstrap, config = kafka.ports.get(trouble.port, trouble.port), trouble.config(kafka)
    service = (
        writing(bootstrap, trouble.topic, config, trouble.size)
        if side == "write"
        else reading(bootstrap, trouble.topic, config)
    )

    with service as says:
        wait_for(lambda: line(says()) == trouble.then.reason, 20, trouble.then.reason)


def test_a_consumer_says_that_it_may_not_create_the_topic_of_its_group(kafka: GuardedKafka) -> None:
    bootstrap = kafka.ports["SASL_PLAINTEXT"]
    topic = Topic("members", {}, lambda: clients.admin(bootstrap, kafka.login))
    client = clients.producer(bootstrap, "none", kafka.login)

    wait_for(lambda: topic.prepare(client), 20, "an answer")

    assert topic.trouble == (
        "Kafka does not permit this user to create topic members: allow CREATE, READ, WRITE and DESCRIBE with"
        " kafka-acls.sh"
    )


def test_nothing_is_said_once_the_topic_exists(kafka: GuardedKafka) -> None:
    bootstrap = kafka.ports["PLAINTEXT"]
    with writing(bootstrap, "late", {}) as writer, reading(bootstrap, "late", {}) as reader:
        wait_for(lambda: "does not exist" in line(writer()), 20, "the writer's message")
        wait_for(lambda: "does not exist" in line(reader()), 20, "the reader's message")

        kafka.create("late")

        wait_for(lambda: writer() is None, 20, "the writer")
        wait_for(lambda: reader() == "no frame has come on topic late yet", 20, "the reader")


def test_nothing_is_said_once_the_user_has_the_rights(kafka: GuardedKafka) -> None:
    bootstrap = kafka.ports["SASL_PLAINTEXT"]
    kafka.create("private")
    with (
        writing(bootstrap, "private", kafka.login) as writer,
        reading(bootstrap, "private", kafka.login) as reader,
    ):
        wait_for(lambda: "does not permit" in line(writer()), 20, "the writer's message")
        wait_for(lambda: "does not permit" in line(reader()), 20, "the reader's message")

        kafka.allow(AclOperation.READ, "private")
        kafka.allow(AclOperation.WRITE, "private")

        wait_for(lambda: writer() is None, 20, "the writer")
        wait_for(lambda: reader() == "no frame has come on topic private yet", 20, "the reader")
