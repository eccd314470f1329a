"""A topic of one partition, as a client finds it."""

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

Record = tuple[bytes, bytes | None]


def write(bootstrap: str, topic: str, *records: Record) -> None:
    """Write records, and wait until the broker has them."""
    producer = Producer({"bootstrap.servers": bootstrap})
    for key, value in records:
        producer.produce(topic, value, key)
    assert producer.flush(30) == 0


def held(bootstrap: str, topic: str) -> list[Record]:
    """Return all that the topic holds."""
    config = {"bootstrap.servers": bootstrap, "group.id": "look", "fetch.wait.max.ms": 5}
    reader = Consumer({**config, "enable.partition.eof": True})
    reader.assign([TopicPartition(topic, 0, 0)])
    found: list[Record] = []
    while True:
        message = reader.poll(30)
        assert message is not None
        if (problem := message.error()) is None:
            found.append((message.key() or b"", message.value()))
            continue
        assert problem.code() == KafkaError._PARTITION_EOF, problem
        reader.close()
        return found
