"""The bytes that sinks write: those of Kafka-ML's own sinks, spelled out by hand."""

import json
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.data.test_avro import HCOPD, schema
from tests.training.data.test_pictures import jpeg
from training import sink as base
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
from training.data.writing import Writer

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
    monkeypatch.setattr(base, "Writer", Written)
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
    ((_, value),) = written.topics[base.CONTROL_TOPIC]
    assert json.loads(value)["input_config"] == types


def test_unlabelled_samples_go_to_their_topic_with_a_zero_as_key(written: type[Written]) -> None:
    with RawSink(KAFKA, "digits", 1, unsupervised_topic="more") as sink:
        sink.send_unlabelled(np.array([1, 2], np.uint8))
        sink.send(np.array([3, 4], np.uint8), np.uint8(1))

    assert written.topics["more"] == [(b"\0", b"\1\2")]
    ((_, value),) = written.topics[base.CONTROL_TOPIC]
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
    ((_, value),) = written.topics[base.CONTROL_TOPIC]
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
    ((_, value),) = written.topics[base.CONTROL_TOPIC]
    assert json.loads(value)["input_config"] == {"labels": ["cat", "dog"], "size": [96, 64]}


def test_an_exception_ends_a_sink_without_a_control_message(written: type[Written]) -> None:
    with pytest.raises(ZeroDivisionError), RawSink(KAFKA, "digits", 1) as sink:
        sink.send([1], 1 // 0)

    assert base.CONTROL_TOPIC not in written.topics
    assert written.closed == ["digits"]
    sink.close()
    assert base.CONTROL_TOPIC not in written.topics


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


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"deployment": "1"}, "deployment '1': expected its id, a number from 1 to 4294967295"),
        ({"deployment": 0}, "deployment 0: expected its id"),
        ({"deployment": None}, "deployment None: expected its id"),
        ({"deployment": True}, "deployment True: expected its id"),
        ({"deployment": 1.0}, "deployment 1.0: expected its id"),
        ({"bootstrap": ""}, "bootstrap '': expected Kafka's address"),
        ({"bootstrap": None}, "bootstrap None: expected Kafka's address"),
        ({"topic": "a b"}, "topic 'a b': expected a topic's name: 1 to 249 letters"),
        ({"topic": None}, "topic None: expected a topic's name"),
        ({"control_topic": "a/b"}, "control_topic 'a/b': expected a topic's name"),
        ({"unsupervised_topic": ""}, "unsupervised_topic '': expected a topic's name"),
        ({"unsupervised_topic": "t"}, "unsupervised_topic t: expected another topic than topic"),
        ({"control_topic": "t"}, "control_topic t: expected another topic than topic"),
        ({"validation_rate": "0.1"}, "validation_rate '0.1': expected a number from 0 to less than 1"),
        ({"test_rate": None}, "test_rate None: expected a number from 0 to less than 1"),
        ({"description": 5}, "description 5: expected a text"),
        ({"description": "\ud800"}, "expected a text"),
        ({"config": "ssl"}, "config: expected librdkafka's settings"),
        ({"progress": 1}, "progress 1: expected a function"),
        ({"online": "yes"}, "online 'yes': expected True or False"),
        (
            {"tst_rate": 0.1},
            "unknown: tst_rate: expected config, control_topic, dataset_restrictions, ",
        ),
        ({"data_reshape": "2 2"}, "data_reshape '2 2': expected data_type too"),
        ({"dataset_restrictions": "es"}, "dataset_restrictions 'es': expected what JSON can have"),
        (
            {"dataset_restrictions": {"a": {1}}},
            "dataset_restrictions {'a': {1}}: expected",
        ),
    ],
    ids=range(24),
)
def test_arguments_that_are_refused(written: type[Written], given: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)) as caught:
        RawSink(**{"bootstrap": KAFKA, "topic": "t", "deployment": 1, **given})

    assert "\n" not in str(caught.value)
    assert written.topics == {}


def test_numpys_numbers_are_arguments_too(written: type[Written]) -> None:
    rate: Any = np.float32(0.25)
    number: Any = np.int64(7)
    with RawSink(KAFKA, "table", number, test_rate=rate) as sink:
        sink.send([1], 1)

    ((key, value),) = written.topics[base.CONTROL_TOPIC]
    assert (key, json.loads(value)["test_rate"]) == (b"\0\0\0\7", 0.25)


def test_a_setting_that_librdkafka_rejects_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "Writer", Writer)

    with pytest.raises(ValueError, match=r'^config: No such configuration property: "colour"$'):
        RawSink(KAFKA, "table", 1, config={"colour": "red"})


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    ("data", "label", "reason"),
    [
        (1, 2**70, "label: expected .*, found 1180591620717411303424$"),
        (1, None, "label: expected .*, found None$"),
        (2**70, 1, "data: expected .*, found 1180591620717411303424$"),
        (1, [1, None], "label: "),
        (1, [[1], [1, 2]], "label: "),
        ([], 1, "data: "),
        (np.datetime64("2020"), 1, "data: "),
    ],
    ids=range(7),
)
def test_samples_that_are_refused(
    written: type[Written], data: Any, label: Any, reason: str, first: bool
) -> None:
    sink = RawSink(KAFKA, "table", 1)
    if not first:
        sink.send(1, 1)

    with pytest.raises(ValueError, match=reason) as caught:
        sink.send(data, label)

    assert "\n" not in str(caught.value)
    assert len(written.topics["table"]) == (not first)


def test_a_text_is_no_number() -> None:
    sink = RawSink(KAFKA, "table", 1)
    sink.send(1, 1)

    for text in ("cat", "7"):
        with pytest.raises(ValueError, match=f"^label: expected int64, found '{text}'$"):
            sink.send(1, text)


def test_schemas_are_in_files_too(written: type[Written], tmp_path: Path) -> None:
    path = tmp_path / "label.avsc"
    path.write_text(schema("boolean"))
    for found in (path, str(path)):
        with AvroSink(KAFKA, "copd", 1, HCOPD, found) as sink:
            sink.send({"gender": 1, "age": 40.5, "smoking": 2}, {"f0": True})

    assert [key for key, _ in written.topics["copd"]] == [b"\1", b"\1"]


@pytest.mark.parametrize(
    ("scheme", "reason"),
    [
        ("/nonexistent.avsc", 'file "/nonexistent.avsc": No such file or directory: expected a schema'),
        (Path("/"), 'file "/": Is a directory: expected a schema'),
        (b"{}", "bytes: "),
        ({"a": {1}}, "dict: "),
        ("a\0b", "embedded null byte"),
        (None, "expected a record, found null"),
    ],
    ids=range(6),
)
def test_schemas_that_are_refused(written: type[Written], scheme: Any, reason: str) -> None:
    for schemes, name in (((scheme, HCOPD), "data_scheme"), ((HCOPD, scheme), "label_scheme")):
        with pytest.raises(ValueError, match=f"^{name}: .*{re.escape(reason)}"):
            AvroSink(KAFKA, "copd", 1, *schemes)

    assert written.topics == {}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("boolean", "no"),
        ("boolean", 2),
        ("int", 2**31),
        ("int", 1.5),
        ("long", 2**63),
        ("float", "1"),
        ("double", None),
    ],
)
def test_records_that_are_refused(written: type[Written], kind: str, value: Any) -> None:
    sink = AvroSink(KAFKA, "copd", 1, schema("int"), schema(kind))

    with pytest.raises(ValueError, match=f"f0: expected {kind}, found "):
        sink.send({"f0": np.int64(1)}, {"f0": value})
    for record in (None, [1], {1: 1}):
        with pytest.raises(ValueError, match="record"):
            sink.send({"f0": 1}, record)  # type: ignore[arg-type]

    assert written.topics["copd"] == []


@pytest.mark.parametrize(
    ("data", "label", "reason"),
    [
        (None, 0, "data: expected a JPEG as bytes, found NoneType"),
        ("text", 0, "data: expected a JPEG as bytes, found str"),
        (jpeg(8, 8), None, "label None: expected a number from 0 to 1"),
        (jpeg(8, 8), 1.0, "label 1.0: expected a number from 0 to 1"),
        (jpeg(8, 8), 2**70, "label 1180591620717411303424: expected a number from 0 to 1"),
        (jpeg(8, 8), "cow", "label 'cow': expected one of cat, dog"),
    ],
    ids=range(6),
)
def test_pictures_that_are_refused(written: type[Written], data: Any, label: Any, reason: str) -> None:
    sink = JpegSink(KAFKA, "frames", 1, ["cat", "dog"], (8, 8))

    with pytest.raises(ValueError, match=re.escape(reason)):
        sink.send(data, label)
    sink.send(jpeg(8, 8), np.int64(1))  # type: ignore[arg-type]

    assert [key for key, _ in written.topics["frames"]] == [b"\1"]


def test_an_online_sink_sends_the_control_message_before_the_first_sample(written: type[Written]) -> None:
    with RawSink(KAFKA, "digits", 1, online=True, validation_rate=0.2) as sink:
        assert base.CONTROL_TOPIC not in written.topics
        sink.send(np.array([1, 2], np.uint8), np.uint8(7))
        assert [*written.topics][-1] == base.CONTROL_TOPIC
        sink.send(np.array([3, 4], np.uint8), np.uint8(8))

    ((key, value),) = written.topics[base.CONTROL_TOPIC]
    assert key == b"\0\0\0\1"
    assert json.loads(value) == {
        "topic": "digits",
        "unsupervised_topic": None,
        "input_format": "RAW",
        "description": "",
        "dataset_restrictions": {},
        "input_config": {
            "data_type": "uint8",
            "label_type": "uint8",
            "data_reshape": "2",
            "label_reshape": "1",
        },
        "validation_rate": 0.2,
        "test_rate": 0,
        "total_msg": None,
        "incremental": True,
    }
    assert written.topics["digits"] == [(b"\7", b"\1\2"), (b"\x08", b"\3\4")]


def test_an_online_sink_of_unlabelled_samples_names_the_labelled_ones(written: type[Written]) -> None:
    with RawSink(KAFKA, "digits", 1, online=True, unsupervised_topic="more") as sink:
        with pytest.raises(SendError, match="labelled samples first"):
            sink.send_unlabelled(np.array([1], np.uint8))
        sink.send(np.array([1], np.uint8), np.uint8(7))
        assert base.CONTROL_TOPIC not in written.topics
        sink.send_unlabelled(np.array([2], np.uint8))
        with pytest.raises(SendError, match="before the first unlabelled one"):
            sink.send(np.array([1], np.uint8), np.uint8(7))

    ((_, value),) = written.topics[base.CONTROL_TOPIC]
    fields = json.loads(value)
    assert (fields["topic"], fields["unsupervised_topic"]) == ("digits:0:5:6,digits:1:7:7", "more")
    assert (fields["total_msg"], fields["incremental"]) == (1, True)


@pytest.mark.parametrize("options", [{}, {"unsupervised_topic": "more"}])
def test_an_online_sink_that_has_sent_nothing_says_so(written: type[Written], options: Any) -> None:
    with pytest.raises(SendError, match="no sample was sent"), RawSink(KAFKA, "d", 1, online=True, **options):
        pass

    assert base.CONTROL_TOPIC not in written.topics


def test_a_federated_sink_writes_what_kafka_mls_writes(written: type[Written]) -> None:
    """The restrictions are a text with JSON, on the topic that stays with the owner."""
    with FederatedRawSink(KAFKA, "digits", 1, dataset_restrictions={"country": "es"}) as sink:
        sink.send(np.zeros(2, np.uint8), np.uint8(7))

    ((key, value),) = written.topics["FEDERATED_DATA_CONTROL_TOPIC"]
    assert key == b"\x00\x00\x00\x01"
    assert json.loads(value)["dataset_restrictions"] == '{"country": "es"}'
    assert "KAFKA_ML_CONTROL_TOPIC" not in written.topics


def test_a_federated_sink_needs_no_deployment_and_has_an_end(written: type[Written]) -> None:
    with FederatedRawSink(KAFKA, "digits", 0) as sink:
        sink.send(1, 1)
    with pytest.raises(ValueError, match="online: a federated training takes data that have an end"):
        FederatedRawSink(KAFKA, "digits", 0, online=True)
    with pytest.raises(ValueError, match="control_topic FEDERATED_DATA_CONTROL_TOPIC: expected"):
        FederatedRawSink(KAFKA, "FEDERATED_DATA_CONTROL_TOPIC", 0)

    assert [key for key, _ in written.topics["FEDERATED_DATA_CONTROL_TOPIC"]] == [b"\0\0\0\0"]


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
