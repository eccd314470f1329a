"""The bytes that sinks write: those of Kafka-ML's own sinks, spelled out by hand."""

import json
import struct
from typing import Any

import numpy as np
import pytest

from tests.training.data.test_avro import HCOPD, schema
from tests.training.data.test_pictures import jpeg
from training import client
from training.client import (
    AvroSink,
    FederatedAvroSink,
    FederatedJpegSink,
    FederatedRawSink,
    JpegSink,
    RawSink,
    SendError,
)
from training.data.ranges import Range

KAFKA = "kafka:9092"


class Written:
    """Stands in for the writers: what each topic got."""

    topics: dict[str, list[tuple[bytes, bytes]]]
    closed: list[str]

    def __init__(self, _: str, topic: str, *__: object) -> None:
        self.topic = topic
        self.topics.setdefault(topic, [])

    def write(self, value: bytes, key: bytes) -> None:
        self.topics[self.topic].append((key, value))

    def finish(self) -> tuple[Range, ...]:
        return (Range(self.topic, 0, 5, 5 + len(self.topics[self.topic])), Range(self.topic, 1, 7, 7))

    def close(self) -> None:
        self.closed.append(self.topic)


@pytest.fixture(autouse=True)
def written(monkeypatch: pytest.MonkeyPatch) -> type[Written]:
    """What the sinks of a test write."""
    Written.topics, Written.closed = {}, []
    monkeypatch.setattr(client, "Writer", Written)
    return Written


def test_a_raw_sink_writes_what_kafka_mls_writes(written: type[Written]) -> None:
    with RawSink(KAFKA, "digits", 1, description="d", validation_rate=0.1, test_rate=0.1) as sink:
        sink.send(np.array([[1, 2], [3, 255]], np.uint8), np.uint8(7))
        sink.send(np.zeros((2, 2), np.uint8), np.uint8(0))

    assert written.topics["digits"] == [(b"\x07", b"\x01\x02\x03\xff"), (b"\x00", b"\x00\x00\x00\x00")]
    assert written.topics["KAFKA_ML_CONTROL_TOPIC"] == [
        (
            b"\x00\x00\x00\x01",
            b'{"topic": "digits:0:5:7,digits:1:7:7", "unsupervised_topic": null, "input_format": "RAW", '
            b'"description": "d", "dataset_restrictions": {}, "input_config": {"data_type": "uint8", '
            b'"label_type": "uint8", "data_reshape": "2 2", "label_reshape": "1"}, "validation_rate": 0.1, '
            b'"test_rate": 0.1, "total_msg": 2, "incremental": false}',
        )
    ]
    assert written.closed == ["KAFKA_ML_CONTROL_TOPIC", "digits"]


def test_numbers_are_little_endian(written: type[Written]) -> None:
    with RawSink(KAFKA, "table", 300, control_topic="control") as sink:
        sink.send(np.array([1.0, -2.0], ">f8"), [258])

    assert written.topics["table"] == [(struct.pack("<q", 258), struct.pack("<2d", 1, -2))]
    ((key, value),) = written.topics["control"]
    assert key == b"\x00\x00\x01\x2c"
    assert json.loads(value)["input_config"] == {
        "data_type": "float64",
        "label_type": "int64",
        "data_reshape": "2",
        "label_reshape": "1",
    }


def test_types_and_shapes_that_are_given_are_used(written: type[Written]) -> None:
    types: dict[str, Any] = {
        "data_type": "float32",
        "label_type": "uint8",
        "data_reshape": "2 1",
        "label_reshape": "1",
    }
    with RawSink(KAFKA, "table", 1, **types) as sink:
        sink.send([1, 2], 3)

    assert written.topics["table"] == [(b"\3", struct.pack("<2f", 1, 2))]
    ((_, value),) = written.topics[client.CONTROL_TOPIC]
    assert json.loads(value)["input_config"] == types


def test_unlabelled_samples_go_to_their_topic_with_a_zero_as_key(written: type[Written]) -> None:
    with RawSink(KAFKA, "digits", 1, unsupervised_topic="more") as sink:
        sink.send_unlabelled(np.array([1, 2], np.uint8))
        sink.send(np.array([3, 4], np.uint8), np.uint8(1))

    assert written.topics["more"] == [(b"\0", b"\1\2")]
    ((_, value),) = written.topics[client.CONTROL_TOPIC]
    assert json.loads(value)["unsupervised_topic"] == "more:0:5:6,more:1:7:7"
    assert json.loads(value)["total_msg"] == 1


def test_unlabelled_samples_without_a_topic_are_refused() -> None:
    sink = RawSink(KAFKA, "digits", 1)

    with pytest.raises(SendError, match="set unsupervised_topic"):
        sink.send_unlabelled([1])


def test_an_avro_sink_writes_what_kafka_mls_writes(written: type[Written]) -> None:
    with AvroSink(KAFKA, "copd", 1, HCOPD, schema("boolean")) as sink:
        sink.send({"gender": 1, "age": 40.5, "smoking": 2}, {"f0": True})

    assert written.topics["copd"] == [(b"\1", struct.pack("<3f", 1, 40.5, 2))]
    ((_, value),) = written.topics[client.CONTROL_TOPIC]
    config = json.loads(value)["input_config"]
    assert json.loads(config["data_scheme"]) == HCOPD
    assert config["label_scheme"] == schema("boolean")


def test_an_avro_sink_writes_records_without_labels(written: type[Written]) -> None:
    with AvroSink(KAFKA, "copd", 1, HCOPD, schema("boolean"), unsupervised_topic="more") as sink:
        sink.send({"gender": 1, "age": 40.5, "smoking": 2}, {"f0": True})
        sink.send_unlabelled({"gender": 0, "age": 1, "smoking": 0})

    assert written.topics["more"] == [(b"\0", struct.pack("<3f", 0, 1, 0))]


def test_a_jpeg_sink_writes_pictures_and_numbers_of_labels(written: type[Written]) -> None:
    picture = jpeg(8, 8)
    with JpegSink(KAFKA, "frames", 1, ["cat", "dog"], (96, 64), unsupervised_topic="more") as sink:
        sink.send(picture, "dog")
        sink.send(picture, 0)
        sink.send_unlabelled(picture)
        with pytest.raises(ValueError, match="not a JPEG"):
            sink.send(b"PNG", 0)

    assert written.topics["frames"] == [(b"\1", picture), (b"\0", picture)]
    assert written.topics["more"] == [(b"\0", picture)]
    ((_, value),) = written.topics[client.CONTROL_TOPIC]
    assert json.loads(value)["input_config"] == {"labels": ["cat", "dog"], "size": [96, 64]}


def test_an_exception_ends_a_sink_without_a_control_message(written: type[Written]) -> None:
    with pytest.raises(ZeroDivisionError), RawSink(KAFKA, "digits", 1) as sink:
        sink.send([1], 1 // 0)

    assert client.CONTROL_TOPIC not in written.topics
    assert written.closed == ["digits"]
    sink.close()
    assert client.CONTROL_TOPIC not in written.topics


def test_a_sink_that_is_closed_sends_nothing() -> None:
    sink = RawSink(KAFKA, "digits", 1)
    sink.send([1], 1)
    sink.close()

    with pytest.raises(SendError, match="closed"):
        sink.send([1], 1)


def test_nothing_is_not_trained_on(written: type[Written]) -> None:
    with pytest.raises(SendError, match="no sample was sent"), RawSink(KAFKA, "digits", 1):
        pass

    assert written.closed == ["digits"]


@pytest.mark.parametrize(
    ("data", "label", "reason"),
    [
        (np.zeros((2, 3), np.uint8), 1, "data: shape 2 3, expected 2 2"),
        (np.full((2, 2), 300), 1, "data: int64 that uint8 cannot hold"),
        (np.zeros((2, 2), np.uint8), 1.5, "label: float64 that int64 cannot hold"),
        (np.zeros((2, 2), np.uint8), None, "label: "),
    ],
    ids=["shape", "type", "label", "none"],
)
def test_samples_that_are_not_like_the_first_are_refused(
    written: type[Written], data: Any, label: Any, reason: str
) -> None:
    with RawSink(KAFKA, "digits", 1) as sink:
        sink.send(np.zeros((2, 2), np.uint8), 1)
        with pytest.raises(ValueError, match=reason):
            sink.send(data, label)

    assert len(written.topics["digits"]) == 1


@pytest.mark.parametrize(
    ("deployment", "options", "reason"),
    [
        (2**32, {}, "deployment 4294967296"),
        (1, {"validation_rate": 1.5}, "validation_rate 1.5"),
        (1, {"data_type": "colour"}, "data_type 'colour'"),
        (1, {"label_type": "uint8", "label_reshape": "a"}, "label_reshape 'a'"),
    ],
    ids=["id", "rate", "type", "shape"],
)
def test_what_is_wrong_with_a_sink_is_found_before_anything_is_sent(
    written: type[Written], deployment: int, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        RawSink(KAFKA, "digits", deployment, **options)

    assert written.topics == {}


def test_a_federated_sink_writes_what_kafka_mls_writes(written: type[Written]) -> None:
    """The restrictions are a text with JSON, on the topic that stays with the owner."""
    with FederatedRawSink(KAFKA, "digits", 1, dataset_restrictions={"country": "es"}) as sink:
        sink.send(np.zeros(2, np.uint8), np.uint8(7))

    ((key, value),) = written.topics["FEDERATED_DATA_CONTROL_TOPIC"]
    assert key == b"\x00\x00\x00\x01"
    assert json.loads(value)["dataset_restrictions"] == '{"country": "es"}'
    assert "KAFKA_ML_CONTROL_TOPIC" not in written.topics


def test_federated_records_and_pictures_may_have_a_control_topic_of_their_own(
    written: type[Written],
) -> None:
    sinks = (
        FederatedJpegSink(KAFKA, "frames", 1, ["cat"], (8, 8), control_topic="mine"),
        FederatedAvroSink(KAFKA, "patients", 1, HCOPD, schema("boolean"), control_topic="mine"),
    )
    sinks[0].send(jpeg(8, 8), "cat")
    sinks[0].close()
    sinks[1].abandon()

    ((_, value),) = written.topics["mine"]
    assert json.loads(value)["dataset_restrictions"] == "{}"


def test_other_sinks_may_have_restrictions_too(written: type[Written]) -> None:
    with RawSink(KAFKA, "digits", 1, dataset_restrictions={"country": "es"}) as sink:
        sink.send(np.zeros(2, np.uint8), np.uint8(7))

    ((_, value),) = written.topics["KAFKA_ML_CONTROL_TOPIC"]
    assert json.loads(value)["dataset_restrictions"] == {"country": "es"}
