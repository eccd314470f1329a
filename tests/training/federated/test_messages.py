"""What aggregator and clients say: read as it was written, and everything else refused in one line."""

import json
import re
from typing import Any

import numpy as np
import pytest

from training.data.ranges import Range
from training.federated import messages
from training.federated.fields import LONGEST_REASON
from training.federated.messages import (
    End,
    Failure,
    Join,
    Round,
    Update,
    compose_round,
    compose_said,
    parse_client,
    parse_round,
    parse_said,
)
from training.federated.names import Topics
from training.federated.weights import File, pack

TOPICS = Topics("aB3dE6gH")
WEIGHTS, DATA = pack([np.ones(2, np.float32)])
ROUND = Round(
    version=3,
    rounds=15,
    place=Range(TOPICS.weights, 0, 5, 6),
    weights=WEIGHTS,
    model_place=Range(TOPICS.weights, 0, 0, 2),
    model=File(1234, "0" * 64),
    batch=32,
    seed=7,
    arguments={"epochs": 2},
)
UPDATE = Update("ann", 4, Range(TOPICS.of("ann"), 0, 9, 10), WEIGHTS, 600, {"loss": 0.5}, {"loss": None})


def changed(sent: bytes, **fields: Any) -> bytes:
    return json.dumps({**json.loads(sent), **fields}).encode()


@pytest.mark.parametrize("said", [ROUND, End(), End("line 3 of the code: ValueError: x")], ids=str)
def test_the_aggregator_is_understood(said: Round | End) -> None:
    assert parse_round(compose_round(said), TOPICS) == said


@pytest.mark.parametrize("said", [Join("ann", 5), Failure("ann", 2, "no room"), UPDATE], ids=str)
def test_a_client_is_understood(said: Join | Failure | Update) -> None:
    key, value = compose_said(said)

    assert parse_said(parse_client(key), value, TOPICS) == said


def test_the_key_of_a_round_is_the_result() -> None:
    assert messages.result_key(7) == b"\0\0\0\7"
    assert messages.parse_result(b"\7") == 7


def test_of_metrics_per_epoch_the_last_counts() -> None:
    _, value = compose_said(UPDATE)
    metrics = {"training": {"loss": [2.0, 1.5], "x": [[1]], "y": []}}

    found = parse_said("ann", changed(value, metrics=metrics), TOPICS)

    assert isinstance(found, Update)
    assert (found.training, found.validation) == ({"loss": 1.5, "x": None, "y": None}, {})


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"version": None}, "client ann: the field version is missing"),
        ({"version": 0}, "client ann: version: expected a whole number from 1, found 0"),
        ({"version": 2**53}, "version: expected a whole number from 1"),
        ({"num_data": 0}, "num_data: expected a whole number from 1, found 0"),
        ({"num_data": 2**31}, "num_data: expected a whole number from 1, found 2147483648"),
        ({"num_data": 1.5}, "num_data: expected a whole number from 1, found 1.5"),
        (
            {"topic": f"{TOPICS.of('bob')}:0:0:1"},
            f"topic: expected one range of messages in {TOPICS.of('ann')}",
        ),
        ({"topic": f"{TOPICS.of('ann')}:0:5:5"}, "topic: expected one range of messages"),
        ({"topic": "nonsense"}, "topic: range 'nonsense': expected topic:partition:start:end"),
        ({"weights": 3}, "weights: weights: expected a JSON object, found 3"),
        ({"metrics": []}, "client ann: metrics: expected a JSON object, found []"),
        ({"metrics": {"training": 3}}, "training: expected an object with at most 1000 metrics, found 3"),
        ({"metrics": {"training": {"a": "x"}}}, 'training: expected a finite number or null, found "x"'),
        ({"metrics": {"training": {"a": 10**400}}}, "expected a finite number or null"),
        ({"metrics": {"training": {"a" * 101: 1}}}, "expected names of at most 100 characters"),
        ({"join": 1}, "join: expected true or false, found 1"),
        ({"join": True, "num_data": -5}, "num_data: expected a whole number from 1, found -5"),
        ({"failed": 3}, "failed: expected a text, found 3"),
    ],
    ids=str,
)
def test_what_a_client_cannot_say_is_refused(fields: dict[str, Any], reason: str) -> None:
    _, value = compose_said(UPDATE)

    with pytest.raises(ValueError, match=re.escape(reason)) as found:
        parse_said("ann", changed(value, **fields), TOPICS)

    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"version": -2}, "round: version: expected a whole number from -1, found -2"),
        ({"topic": "other:0:0:1"}, f"topic: expected one range of messages in {TOPICS.weights}"),
        ({"rounds": 0}, "rounds: expected a whole number from 1, found 0"),
        ({"model": {}}, "model: the field topic is missing"),
        ({"training_settings": {"batch": 0}}, "batch: expected a whole number from 1, found 0"),
    ],
    ids=str,
)
def test_what_an_aggregator_cannot_say_is_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        parse_round(changed(compose_round(ROUND), **fields), TOPICS)


@pytest.mark.parametrize("key", [None, b"", b"\xff\xfe", b"a/b"])
def test_a_key_that_names_no_client_is_refused(key: bytes | None) -> None:
    with pytest.raises(ValueError, match="client"):
        parse_client(key)


@pytest.mark.exceeds("training.federated.messages.MOST_METRICS")
def test_too_many_metrics_are_refused() -> None:
    many = {f"metric {number}": 1.0 for number in range(messages.MOST_METRICS + 1)}
    _, value = compose_said(UPDATE)

    with pytest.raises(ValueError, match="expected an object with at most 1000 metrics"):
        parse_said("ann", changed(value, metrics={"training": many}), TOPICS)


@pytest.mark.exceeds("training.federated.fields.LONGEST_REASON")
def test_a_long_reason_is_cut() -> None:
    _, value = compose_said(Failure("ann", 1, "line 1\n" + "x" * 5_000))

    found = parse_said("ann", value, TOPICS)
    assert isinstance(found, Failure)
    assert found.reason == "line 1 " + "x" * (LONGEST_REASON - 7)
