"""Training data on a real Kafka: sinks write them, and exactly their ranges are read."""

import re
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.parts import ROOT
from tests.topic import held
from tests.training.data.test_avro import schema
from tests.training.data.test_pictures import jpeg
from training.client import AvroSink, JpegSink, RawSink, SendError
from training.control.message import ControlMessage, parse
from training.data import formats, offsets, reading
from training.data.errors import DataError, DeletedError
from training.data.ranges import Range, write
from training.data.samples import Samples

NUMBERS = formats.decoder(
    "RAW", {"data_type": "int32", "label_type": "uint8", "data_reshape": "1", "label_reshape": ""}
)


class Topics:
    """Topics of a Kafka for one test."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.admin = AdminClient({"bootstrap.servers": bootstrap})
        self.control = self.name()

    def name(self) -> str:
        return f"training-{uuid.uuid4().hex[:12]}"

    def create(self, partitions: int = 1, settings: dict[str, str] | None = None) -> str:
        topic = self.name()
        new = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=settings or {})
        self.admin.create_topics([new])[topic].result(30)
        return topic

    def write(self, topic: str, numbers: range, partition: int = 0) -> None:
        """Write numbers, each with its last digit as its label."""
        producer = Producer({"bootstrap.servers": self.bootstrap})
        for number in numbers:
            value = np.int32(number).tobytes()
            producer.produce(topic, value, bytes([number % 10]), partition=partition)
        assert producer.flush(30) == 0

    def read(self, *ranges: Range, decoder: formats.Decoder = NUMBERS, **options: Any) -> Samples:
        return reading.read(ranges, decoder, self.bootstrap, **options)

    def controlled(self) -> list[ControlMessage]:
        """Return the control messages so far."""
        return [parse(key, value) for key, value in held(self.bootstrap, self.control)]

    def trained_on(self, **options: Any) -> Samples:
        """Return the samples that the only control message is about."""
        (message,) = self.controlled()
        decoder = formats.decoder(message.input_format, message.input_config)
        return self.read(*message.ranges, decoder=decoder, **options)


@pytest.fixture
def topics(kafka_bootstrap: str) -> Topics:
    """Topics of a real Kafka."""
    return Topics(kafka_bootstrap)


def numbers(samples: Samples) -> list[int]:
    found: list[int] = samples.features[:, 0].tolist()
    return found


@pytest.mark.parametrize(
    ("partitions", "memory"), [(1, 2**30), (4, 2**30), (3, 0)], ids=["1", "4", "on disk"]
)
def test_what_a_sink_has_sent_is_read_in_its_order(topics: Topics, partitions: int, memory: int) -> None:
    topic = topics.create(partitions)
    images = np.random.default_rng(1).random((5000, 4, 3)).astype(np.float16)
    sent, read = list[tuple[int, int]](), list[tuple[int, int]]()

    with RawSink(
        topics.bootstrap,
        topic,
        300,
        control_topic=topics.control,
        validation_rate=0.1,
        progress=lambda *counts: sent.append(counts),
    ) as sink:
        for number, image in enumerate(images):
            sink.send(image, np.uint16(number))
    samples = topics.trained_on(memory=memory, progress=lambda *counts: read.append(counts))

    (message,) = topics.controlled()
    assert (message.deployment, message.total_msg, message.validation_rate) == (300, 5000, 0.1)
    assert len(message.ranges) == partitions
    assert held(topics.bootstrap, topics.control)[0][0] == b"\0\0\1\x2c"
    assert np.array_equal(samples.features, images)
    assert samples.labels is not None
    assert samples.labels[:, 0].tolist() == list(range(5000))
    assert isinstance(samples.features.base, np.memmap) == (memory == 0)
    assert (sent[-1], read[-1]) == ((5000, 5000), (5000, 5000))


def test_a_topic_that_is_missing_is_created_by_the_sink(topics: Topics) -> None:
    with RawSink(topics.bootstrap, topics.name(), 1, control_topic=topics.control) as sink:
        sink.send([1.5, 2], 1)

    assert topics.trained_on().features.tolist() == [[1.5, 2]]


def test_records_are_read_and_those_of_others_meanwhile_too(topics: Topics) -> None:
    topic = topics.create(2)
    label = schema("boolean")
    with AvroSink(
        topics.bootstrap, topic, 1, schema("int", "float"), label, control_topic=topics.control
    ) as sink:
        sink.send({"f0": 61, "f1": 2.5}, {"f0": True})
        sink.send({"f0": 34, "f1": 4.5}, {"f0": False})

    samples = topics.trained_on()

    assert samples.features.tolist() == [[61, 2.5], [34, 4.5]]
    assert samples.labels is not None
    assert samples.labels.tolist() == [[True], [False]]


def test_pictures_are_read(topics: Topics) -> None:
    topic, more = topics.create(), topics.create()
    with JpegSink(
        topics.bootstrap,
        topic,
        1,
        ["cat", "dog"],
        (8, 16),
        control_topic=topics.control,
        unsupervised_topic=more,
    ) as sink:
        sink.send(jpeg(48, 64), "dog")
        sink.send_unlabelled(jpeg(48, 64))

    samples = topics.trained_on()

    assert samples.features.shape == (1, 8, 16, 3)
    assert samples.labels is not None
    assert samples.labels.tolist() == [1]
    assert topics.controlled()[0].unsupervised_topic == f"{more}:0:0:1"


def test_exactly_the_ranges_are_read(topics: Topics) -> None:
    """Empty ones, several of a partition, of several topics; with more messages before and behind."""
    first, second = topics.create(3), topics.create()
    topics.write(first, range(100), 0)
    topics.write(first, range(100, 200), 2)
    topics.write(second, range(200, 300))
    ranges = [
        Range(first, 0, 90, 95),
        Range(first, 0, 10, 20),
        Range(first, 1, 0, 0),
        Range(first, 2, 99, 100),
        Range(second, 0, 0, 5),
        Range("missing", 0, 7, 7),
    ]

    found = numbers(topics.read(*ranges))

    assert sorted(found) == [*range(10, 20), *range(90, 95), 199, *range(200, 205)]
    assert found != sorted(found), "mixed evenly"


def test_jobs_that_read_at_the_same_time_each_get_everything(topics: Topics) -> None:
    topic = topics.create(3)
    for partition in range(3):
        topics.write(topic, range(100 * partition, 100 * partition + 100), partition)
    ranges = [Range(topic, partition, 0, 100) for partition in range(3)]

    with ThreadPoolExecutor(3) as threads:
        found = [*threads.map(lambda _: numbers(topics.read(*ranges)), range(3))]

    assert [sorted(each) for each in found] == [[*range(300)]] * 3


def test_a_message_behind_the_end_is_not_read(topics: Topics) -> None:
    topic = topics.create()
    topics.write(topic, range(11))

    assert numbers(topics.read(Range(topic, 0, 0, 10))) == list(range(10))


def test_offsets_without_messages_are_skipped(topics: Topics) -> None:
    """At the end of each transaction is one."""
    topic = topics.create()
    producer = Producer({"bootstrap.servers": topics.bootstrap, "transactional.id": topic})
    producer.init_transactions(60)
    for number in range(3):
        producer.begin_transaction()
        producer.produce(topic, np.int32(number).tobytes(), b"\1")
        producer.commit_transaction(60)

    assert numbers(topics.read(Range(topic, 0, 0, 6))) == [0, 1, 2]
    with pytest.raises(DataError, match="hold no samples"):
        topics.read(Range(topic, 0, 5, 6))


def test_messages_that_kafka_has_deleted_are_named_with_what_remains(topics: Topics) -> None:
    topic = topics.create(2)
    topics.write(topic, range(100), 0)
    topics.write(topic, range(100, 110), 1)
    (done,) = topics.admin.delete_records([TopicPartition(topic, 0, 40)]).values()
    done.result(30)

    with pytest.raises(
        DeletedError, match=f"range {topic}:0:10:90: Kafka has deleted offsets 10 to 39"
    ) as caught:
        topics.read(Range(topic, 0, 10, 90), Range(topic, 0, 5, 20), Range(topic, 1, 0, 10))

    assert caught.value.remaining == write([Range(topic, 0, 40, 90), Range(topic, 1, 0, 10)])
    assert len(topics.read(Range(topic, 0, 40, 90), Range(topic, 1, 0, 10))) == 60
    with pytest.raises(DeletedError, match="nothing remains"):
        topics.read(Range(topic, 0, 5, 20))


def test_a_range_that_is_not_full_is_waited_for(topics: Topics) -> None:
    topic = topics.create()
    topics.write(topic, range(7))
    reasons = list[str]()

    def waiting(reason: str) -> None:
        reasons.append(reason)
        topics.write(topic, range(7, 12))

    samples = topics.read(Range(topic, 0, 2, 10), waiting=waiting)

    assert numbers(samples) == list(range(2, 10))
    assert reasons == [
        f"topic {topic}, partition 0 ends at offset 7, expected 10: waiting for 3 of 8 messages"
    ]


class EnoughError(Exception):
    """Ends a reading."""


def test_waiting_can_be_ended(topics: Topics) -> None:
    topic = topics.create()

    def waiting(_: str) -> None:
        raise EnoughError

    with pytest.raises(EnoughError):
        topics.read(Range(topic, 0, 0, 10**18), waiting=waiting)


def test_kafka_that_does_not_answer_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offsets, "_ANSWER", 1.0)
    reasons = list[str]()

    def waiting(reason: str) -> None:
        reasons.append(reason)
        raise EnoughError

    with pytest.raises(EnoughError):
        reading.read([Range("digits", 0, 0, 1)], NUMBERS, "127.0.0.1:1", waiting=waiting)

    assert "Kafka does not answer at 127.0.0.1:1" in reasons[0]


def test_missing_topics_and_partitions_are_reasons(topics: Topics) -> None:
    missing, topic = topics.name(), topics.create(2)

    with pytest.raises(DataError, match=f"there is no topic {missing}: correct its name"):
        topics.read(Range(missing, 0, 0, 1))
    with pytest.raises(DataError, match=r"has no partition 2, expected one of 0 to 1"):
        topics.read(Range(topic, 2, 0, 1))
    with pytest.raises(DataError, match="the ranges are empty"):
        topics.read(Range(topic, 0, 5, 5))

    assert missing not in topics.admin.list_topics(timeout=30).topics, "asking did not create it"


def test_a_message_that_does_not_fit_is_named(topics: Topics) -> None:
    topic = topics.create(2)
    topics.write(topic, range(5), 1)
    producer = Producer({"bootstrap.servers": topics.bootstrap})
    producer.produce(topic, b"\1\2\3", b"\1", partition=1)
    assert producer.flush(30) == 0

    with pytest.raises(DataError, match=f"topic {topic}, partition 1, offset 5: value: 3 bytes, expected 4"):
        topics.read(Range(topic, 1, 0, 6))
    with pytest.raises(DataError, match="partition 1, offset 4: label: 4, expected 0 to 3"):
        topics.read(Range(topic, 1, 0, 5), classes=4)


def test_a_sample_that_kafka_does_not_take_ends_a_sink_without_a_control_message(topics: Topics) -> None:
    topic = topics.create(settings={"max.message.bytes": "1000"})

    with (
        pytest.raises(SendError, match=f"topic {topic}"),
        RawSink(topics.bootstrap, topic, 1, control_topic=topics.control) as sink,
    ):
        sink.send(np.zeros(2000, np.uint8), 1)

    assert topics.control not in topics.admin.list_topics(timeout=30).topics


def blocks() -> list[str]:
    """Return the examples for the client."""
    return re.findall(r"```python\n(.*?)```", Path(ROOT / "training/CLIENT.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("number", range(3), ids=["arrays", "records", "pictures"])
def test_the_examples_work(topics: Topics, number: int) -> None:
    topic = topics.name()
    replaced: list[tuple[str, Callable[[re.Match[str]], str] | str]] = [
        (r'"localhost:9092", "\w+"', f'"{topics.bootstrap}", "{topic}"'),
        (r"\) as sink:", f', control_topic="{topics.control}") as sink:'),
    ]
    code = blocks()[number]
    for pattern, text in replaced:
        code, count = re.subn(pattern, text, code)
        assert count == 1

    exec(code, {})

    assert len(topics.trained_on()) == (1000, 2, 1)[number]
    assert len(blocks()) == 3
