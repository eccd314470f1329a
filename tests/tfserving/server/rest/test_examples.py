"""Features in JSON become Examples."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given

from tests.tfserving.server.strategies import DOCUMENTS
from tfserving.runtime import tf
from tfserving.server.errors import ServingError
from tfserving.server.rest import examples, request


def serialized(body: Any) -> list[bytes]:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return examples.serialized(request.read(text).body)


def features(example: bytes) -> dict[str, Any]:
    """Return the features of a serialized Example: name to kind and values."""
    read = {}
    for name, feature in tf.train.Example.FromString(example).features.feature.items():
        kind = feature.WhichOneof("kind")
        read[name] = (kind, list(getattr(feature, kind).value) if kind else [])
    return read


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("é", "bytes_list", ["é".encode()]),
        ({"b64": "QQ=="}, "bytes_list", [b"A"]),
        (["a", {"b64": "QQ=="}], "bytes_list", [b"a", b"A"]),
        (1.5, "float_list", [1.5]),
        ([1.0, 2e2], "float_list", [1.0, 200.0]),
        ([1, True, False, -(2**63)], "int64_list", [1, 1, 0, -(2**63)]),
        ([], None, []),
    ],
)
def test_the_first_value_fixes_the_kind(value: Any, kind: str | None, expected: list[Any]) -> None:
    (example,) = serialized({"examples": [{"f": value}]})

    assert features(example) == {"f": (kind, expected)}


def test_the_context_is_added_to_every_example_unless_it_has_the_feature() -> None:
    read = serialized({"context": {"a": 1, "b": 2}, "examples": [{"b": 3}, {}]})

    assert features(read[0]) == {"a": ("int64_list", [1]), "b": ("int64_list", [3])}
    assert features(read[1]) == {"a": ("int64_list", [1]), "b": ("int64_list", [2])}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "JSON Value: {} When method is classify, key 'examples' is expected and was not found"),
        ({"examples": {}}, "Expecting 'examples' value to be an list/array"),
        ({"examples": []}, "'examples' value is an empty array"),
        ({"examples": [1]}, "Example must be JSON object but got JSON Number"),
        ({"examples": [{}], "context": None}, "Example must be JSON object but got JSON Null"),
        ({"examples": [{"f": [10, 10.0]}]}, "Unexpected element type in feature: f expecting type: int64"),
        ({"examples": [{"f": ["a", 1]}]}, "Unexpected element type in feature: f expecting type: bytes"),
        ({"examples": [{"f": [1.5, 1]}]}, "Unexpected element type in feature: f expecting type: float"),
        (
            {"examples": [{"f": [1, 1.5, None]}]},
            "Unexpected element type in feature: f expecting type: int64",
        ),
        ({"examples": [{"f": [{"b64": "*"}, 1]}]}, "Unable to base64 decode"),
        ({"examples": [{"f": None}]}, "Feature: f has element with unexpected JSON type: Null"),
        ({"examples": [{"f": [[1]]}]}, "Feature: f has element with unexpected JSON type: Array"),
        ({"examples": [{"f": {"x": 1}}]}, "Feature: f has element with unexpected JSON type: Object"),
        ({"examples": [{"f": 2**63}]}, "Feature: f has uint64_t element. Only int64_t is supported."),
        ({"examples": [{"f": {"b64": "*"}}]}, "Unable to base64 decode"),
    ],
)
def test_invalid_features_are_refused(body: Any, message: str) -> None:
    with pytest.raises(ServingError) as caught:
        serialized(body)

    assert message in caught.value.message


@given(DOCUMENTS)
def test_any_value_becomes_an_example_or_is_refused(document: Any) -> None:
    with suppress(ServingError):
        (example,) = serialized({"examples": [{"f": document}]})
        assert set(features(example)) == {"f"}
