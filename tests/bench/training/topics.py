"""Topics that hold the samples of these figures until the block ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic


@contextmanager
def held(bootstrap: str, *names: str, partitions: int = 1) -> Iterator[None]:
    """Create topics on a real Kafka, and delete them at the end."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    for made in admin.create_topics([NewTopic(name, partitions, 1) for name in names]).values():
        made.result(30)
    try:
        yield
    finally:
        for gone in admin.delete_topics(list(names)).values():
            gone.result(30)


def fill(bootstrap: str, topic: str, features: Any, labels: Any) -> None:
    """Write samples as RAW to the only partition of a topic."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 50, "log_level": 0})
    for row, label in zip(features, labels, strict=True):
        while True:
            try:
                producer.produce(topic, row.tobytes(), label.tobytes(), partition=0)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(60) == 0


def whole(topic: str) -> TopicPartition:
    """Return where the topic begins."""
    return TopicPartition(topic, 0, 0)
