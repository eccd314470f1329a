"""Control messages: what Kafka-ML's sinks send is understood, and everything else refused."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.data.test_ranges import RANGES
from training.control.message import ControlMessage, compose, parse
from training.data import formats
from training.data.ranges import Range

SEEN = (
    b'{"topic": "automl:0:0:4,automl:1:0:10,automl:2:0:4,automl:3:0:2", "unsupervised_topic": null, '
    b'"input_format": "RAW", "description": "d", "dataset_restrictions": {}, "input_config": {"data_type": '
    b'"uint8", "label_type": "uint8", "data_reshape": "28 28", "label_reshape": "1"}, '
    b'"validation_rate": 0.1, "test_rate": 0.1, "total_msg": 20, "incremental": false}'
)
"""A message that a sink of Kafka-ML has sent, with the key 01."""

MINIMAL = {"topic": "digits:0:0:5", "input_format": "RAW", "input_config": {}}


def value(**fields: Any) -> bytes:
    return json.dumps({**MINIMAL, **fields}).encode()


def test_a_message_of_kafka_ml_is_understood() -> None:
    message = parse(b"\1", SEEN)

    assert message.deployment == 1
    assert message.ranges[1] == Range("automl", 1, 0, 10)
    assert message.input_config["data_reshape"] == "28 28"
    assert (message.validation_rate, message.test_rate, message.total_msg) == (0.1, 0.1, 20)
    assert message.stream is None
    assert message.rest == {}


def test_a_message_is_written_as_kafka_ml_writes_it_with_a_key_of_four_bytes() -> None:
    assert compose(parse(b"\1", SEEN)) == (b"\0\0\0\1", SEEN)


CONFIG = (
    b'"input_config": {"data_type": "uint8", "label_type": "uint8", "data_reshape": "28 28", '
    b'"label_reshape": "1"}'
)
HCOPD = (
    b"\"input_config\": {\"data_scheme\": \"{'type': 'record', 'name': 'd', 'fields': "
    b"[{'name': 'age', 'type': 'float'}]}\", \"label_scheme\": \"{'type': 'record', 'name': 'l', 'fields': "
    b"[{'name': 'copd', 'type': 'boolean'}]}\"}"
)
OF_EACH_SINK = [
    # OnlineRawSink: before its data.
    b'{"topic": "on", "unsupervised_topic": null, "input_format": "RAW", "description": "", '
    b'"dataset_restrictions": {}, ' + CONFIG + b', "validation_rate": 0.1, "test_rate": 0, '
    b'"total_msg": null, "incremental": true}',
    # The same with unlabelled data.
    b'{"topic": "on2:0:0:0,on2:1:0:1", "unsupervised_topic": "un2", "input_format": "RAW", '
    b'"description": "", "dataset_restrictions": {}, ' + CONFIG + b', "validation_rate": 0.1, '
    b'"test_rate": 0, "total_msg": 1, "incremental": true}',
    # RawSink with unlabelled data, of a topic with an empty partition.
    b'{"topic": "f64:0:0:2,f64:1:0:0", "unsupervised_topic": "un:0:0:9", "input_format": "RAW", '
    b'"description": "", "dataset_restrictions": {}, ' + CONFIG + b', "validation_rate": 0, '
    b'"test_rate": 0, "total_msg": 2, "incremental": false}',
    # AvroSink: two texts, in whose schemas quotes may be single.
    b'{"topic": "copd:0:0:2", "unsupervised_topic": null, "input_format": "AVRO", "description": "", '
    b'"dataset_restrictions": {}, ' + HCOPD + b', "validation_rate": 0, "test_rate": 0, "total_msg": 2, '
    b'"incremental": false}',
    # FederatedRawSink: restrictions in a text.
    b'{"topic": "fed:0:0:2", "unsupervised_topic": null, "input_format": "RAW", "description": "", '
    b'"dataset_restrictions": "{\\"a\\": 1}", ' + CONFIG + b', "validation_rate": 0, "test_rate": 0, '
    b'"total_msg": 2, "incremental": false}',
]


@pytest.mark.parametrize("sent", OF_EACH_SINK, ids=["online", "unlabelled", "raw", "avro", "federated"])
def test_the_messages_of_each_sink_are_written_as_they_were_read(sent: bytes) -> None:
    assert compose(parse(b"\1", sent)) == (b"\0\0\0\1", sent)


def test_schemas_with_single_quotes_are_understood() -> None:
    message = parse(b"\1", OF_EACH_SINK[3])

    decoder = formats.decoder(message.input_format, message.input_config)

    assert decoder.features(bytes.fromhex("00 00 22 42")).tolist() == [40.5]
    assert decoder.label(b"\1").tolist() == [True]


def test_a_message_of_the_first_version_lacks_later_fields() -> None:
    fields = {"description": "", "validation_rate": 0, "test_rate": 0, "total_msg": 5}

    message = parse(b"\1", value(**fields))

    assert (message.unsupervised_topic, message.dataset_restrictions, message.incremental) == (
        None,
        {},
        False,
    )


def test_a_message_about_a_stream_names_a_topic() -> None:
    message = parse(b"\1", value(topic="on", total_msg=None, incremental=True, test_rate=0))

    assert (message.stream, message.ranges, message.total_msg) == ("on", (), None)
    assert json.loads(compose(message)[1])["topic"] == "on"


def test_restrictions_of_federated_sinks_are_a_text() -> None:
    assert parse(b"\1", value(dataset_restrictions='{"a": 1}')).dataset_restrictions == '{"a": 1}'


def test_a_configuration_may_be_a_text() -> None:
    """As the API has it."""
    assert parse(b"\1", value(input_config='{"a": 1}')).input_config == {"a": 1}


def test_unknown_fields_are_kept() -> None:
    message = parse(b"\1", value(colour={"a": [1, None]}))

    assert parse(*compose(message)).rest == {"colour": {"a": [1, None]}}


@pytest.mark.parametrize(
    ("key", "deployment"),
    [(b"\1", 1), (b"\0\0\1\x2c", 300), (b"\1\x2c", 300), (b"1", 49), (b"\0" * 50 + b"\7", 7), (b"\0", 0)],
    ids=str,
)
def test_keys_have_any_width(key: bytes, deployment: int) -> None:
    assert parse(key, SEEN).deployment == deployment


TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda each: st.lists(each, max_size=3) | st.dictionaries(TEXTS, each, max_size=3),
    max_leaves=4,
)
OBJECTS = st.dictionaries(st.sampled_from(["a", "data_type", "x y"]), JSON)


@given(
    st.builds(
        ControlMessage,
        deployment=st.integers(0, 2**32 - 1),
        ranges=st.lists(
            RANGES, min_size=1, max_size=4, unique_by=lambda each: (each.topic, each.partition)
        ).map(tuple),
        input_format=st.sampled_from(["RAW", "AVRO", "JPEG"]),
        input_config=OBJECTS,
        validation_rate=st.floats(0, 0.49),
        test_rate=st.floats(0, 0.49),
        description=TEXTS,
        total_msg=st.none() | st.integers(0),
        unsupervised_topic=st.none() | st.just("more") | st.just("more:0:1:2"),
        incremental=st.booleans(),
        dataset_restrictions=OBJECTS,
        rest=st.dictionaries(st.sampled_from(["colour", "taste"]), JSON),
    )
)
def test_what_is_written_is_read(message: ControlMessage) -> None:
    assert parse(*compose(message)) == message


@pytest.mark.parametrize(
    ("key", "text", "reason"),
    [
        (None, SEEN, "without a key"),
        (b"", SEEN, "without a key"),
        (b"\1" * 9, SEEN, "key of 9 bytes"),
        (b"\1", None, "without a value"),
        (b"\1", b"", "without a value"),
        (b"\1", b"{", "invalid JSON"),
        (b"\1", b"\xff\xfe{", "invalid JSON"),
        (b"\1", b"[" * 100_000, "invalid JSON"),
        (b"\1", b'"\\ud800"', "invalid JSON"),
        (b"\1", b"[1]", r"JSON object, found \[1\]"),
        (b"\1", b"{}", "the field topic is missing"),
        (b"\1", value(topic=7), "topic: expected a text, found 7"),
        (b"\1", value(topic="a b"), "topic: expected a topic's name"),
        (b"\1", value(topic="a:0:5:1"), "topic: range"),
        (b"\1", value(topic=None), "topic: expected a text, found null"),
        (b"\1", value(unsupervised_topic="a:0"), "unsupervised_topic"),
        (b"\1", value(input_config=[1]), "input_config: expected a JSON object"),
        (b"\1", value(input_config="{"), "input_config: expected a JSON object"),
        (b"\1", value(validation_rate=1.5), "validation_rate: expected a number from 0"),
        (b"\1", value(validation_rate=-0.1), "validation_rate: expected a number from 0"),
        (b"\1", value(test_rate="a"), "test_rate: expected a number from 0"),
        (b"\1", value(test_rate=True), "test_rate: expected a number from 0"),
        (b"\1", value(test_rate=float("nan")), "test_rate: expected a number from 0"),
        (b"\1", value(test_rate=10**400), "test_rate: expected a number from 0"),
        (b"\1", value(validation_rate=0.5, test_rate=0.5), "leave nothing for training"),
        (b"\1", value(total_msg=-1), "total_msg: expected a number of messages"),
        (b"\1", value(total_msg=1.5), "total_msg: expected a number of messages"),
        (b"\1", value(incremental="yes"), "incremental: expected true or false"),
        (b"\1", value(dataset_restrictions="["), "dataset_restrictions: expected a JSON object"),
    ],
    ids=[f"bad-{number}" for number in range(29)],
)
def test_other_messages_are_refused_with_a_reason(key: bytes | None, text: bytes | None, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse(key, text)

    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_an_id_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="deployment 4294967296"):
        compose(replace(parse(b"\1", SEEN), deployment=2**32))


@given(st.binary(max_size=12), st.binary() | st.dictionaries(st.sampled_from(list(json.loads(SEEN))), JSON))
def test_any_message_is_parsed_or_refused(key: bytes, content: bytes | dict[str, Any]) -> None:
    text = content if isinstance(content, bytes) else value(**content)
    try:
        message = parse(key, text)
    except ValueError:
        return
    assert 0 <= message.validation_rate < 1
