"""The message that announces a training, in Kafka-ML's format."""

import json
import re
from typing import Any

import pytest

from training.federated.announcement import Announcement, compose, parse
from training.federated.names import Topics

GIVEN = {
    "model_format": {"input_shape": "28 28", "output_shape": "10"},
    "federated_params": {"federated_string_id": "aB3dE6gH", "data_restriction": {"a": 1}, "min_data": 1000},
    "framework": "tf",
    "distributed": False,
    "incremental": False,
}


def given(**fields: Any) -> bytes:
    return json.dumps({**GIVEN, **fields}).encode()


def params(**fields: Any) -> bytes:
    return given(federated_params={**GIVEN["federated_params"], **fields})  # type: ignore[dict-item]


def test_a_message_of_kafka_ml_is_understood() -> None:
    assert parse(given()) == Announcement(Topics("aB3dE6gH"), (28, 28), (10,), 1000, {"a": 1})
    assert parse(params(data_restriction='{"a": 1}')).restriction == {"a": 1}


def test_what_is_written_is_read() -> None:
    sent = Announcement(Topics("x1", "MINE"), (None, 8, 3), (), 0, {"who": ["a", None]})

    assert parse(compose(sent)) == sent
    assert set(json.loads(compose(sent))) == set(GIVEN)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "model control message without a value: expected a JSON object"),
        (b"\xff", "expected JSON in UTF-8, found invalid JSON"),
        (b"[]", "model control message: expected a JSON object, found []"),
        (b"[" * 100_000, "found invalid JSON"),
        (b'{"a": "\\ud800"}', "found invalid JSON"),
        (b'{"a": NaN}', "NaN is not a number"),
        (b"{}", "the field model_format is missing"),
        (given(federated_params=[]), "federated_params: expected a JSON object, found []"),
        (given(model_format={"input_shape": 3, "output_shape": ""}), "input_shape: expected a text, found 3"),
        (given(model_format={"input_shape": "2 x", "output_shape": ""}), "expected a shape such as 28 28"),
        (given(model_format={"input_shape": "1" * 10, "output_shape": ""}), "expected a shape such as 28 28"),
        (given(framework="pth"), 'framework "pth": only TensorFlow models can be federated'),
        (given(distributed=True), "distributed: federated training does not combine with it"),
        (given(incremental=True), "incremental: federated training does not combine with it"),
        (given(blockchain={"rpc_url": "x"}), "blockchain: federated training does not combine with it"),
        (given(distributed=3), "distributed: expected a JSON object, found 3"),
        (params(federated_string_id="../x"), "expected 1 to 32 letters and digits, found '../x'"),
        (params(prefix="a b"), "expected 1 to 60 letters, digits, '.', '_' and '-', found 'a b'"),
        (params(min_data=-1), "min_data: expected a whole number from 0, found -1"),
        (params(min_data=True), "min_data: expected a whole number from 0, found true"),
        (params(data_restriction="no"), "data_restriction: expected a JSON object, found a text"),
        (params(data_restriction=[1]), "data_restriction: expected a JSON object, found [1]"),
    ],
)
def test_anything_else_is_refused_in_one_line(value: bytes | None, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)) as found:
        parse(value)

    assert "\n" not in str(found.value)
