"""Which data are for which training."""

from dataclasses import replace
from typing import Any

import pytest

from training.control.message import ControlMessage
from training.data.ranges import Range
from training.federated.announcement import Announcement
from training.federated.matching import same, why_not
from training.federated.names import Topics

TRAINING = Announcement(Topics("x"), (28, 28), (10,), 100, {"country": "es", "n": 1})
RAW = {"data_type": "uint8", "data_reshape": "28 28", "label_type": "uint8", "label_reshape": "1"}
DATA = ControlMessage(
    1,
    (Range("digits", 0, 0, 60), Range("digits", 1, 0, 40)),
    "RAW",
    RAW,
    dataset_restrictions='{"n": 1.0, "country": "es"}',
)


def test_shape_restrictions_and_number_must_fit() -> None:
    assert why_not(TRAINING, DATA) is None
    assert why_not(replace(TRAINING, input_shape=(None, 28)), DATA) is None
    assert why_not(TRAINING, replace(DATA, dataset_restrictions={"country": "es", "n": 1})) is None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"input_config": {**RAW, "data_reshape": "784"}},
            "the data have the shape 784: the model expects",
        ),
        (
            {"input_config": {**RAW, "data_reshape": ""}},
            "the data have the shape of a single number",
        ),
        (
            {"input_config": {**RAW, "data_reshape": None}},
            "the data have the shape -1: the model expects",
        ),
        ({"input_config": {**RAW, "data_type": "string", "data_reshape": "1"}}, "the data are texts"),
        ({"input_config": {**RAW, "label_type": "<U3", "label_reshape": "1"}}, "the labels are texts"),
        ({"input_config": {}}, "RAW: data_type"),
        ({"input_format": "XML"}, "input_format 'XML': expected RAW, AVRO or JPEG"),
        ({"dataset_restrictions": {}}, 'the data have the restrictions {}: the training expects {"country"'),
        ({"dataset_restrictions": {"country": "es", "n": True}}, "the data have the restrictions"),
        (
            {"ranges": (Range("digits", 0, 0, 99),)},
            "the data are 99 messages: the training expects at least 100",
        ),
        ({"ranges": (), "stream": "digits"}, "the data are an online stream"),
        ({"incremental": True}, "the data are an online stream"),
    ],
    ids=str,
)
def test_other_data_are_not_used(fields: dict[str, Any], reason: str) -> None:
    found = why_not(TRAINING, replace(DATA, **fields))

    assert found is not None
    assert found.startswith(reason)


def test_pictures_have_the_shape_of_their_size() -> None:
    pictures = replace(DATA, input_format="JPEG", input_config={"labels": ["cat"], "size": [8, 9]})

    assert why_not(replace(TRAINING, input_shape=(8, 9, 3)), pictures) is None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"a": 1, "b": [1, 2]}, {"b": [1.0, 2], "a": 1}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 0}, {"a": None}, False),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"a": [1]}, {"a": [1, 1]}, False),
        ({"a": 1}, {"b": 1}, False),
        ({"a": {"b": "x"}}, {"a": {"b": "x"}}, True),
        ({}, {}, True),
    ],
)
def test_values_are_equal_as_json(one: object, other: object, expected: bool) -> None:
    assert same(one, other) is expected
