"""Classify and regress requests: convert JSON features to serialized Examples."""

from collections.abc import Mapping
from typing import Any

from tfserving.runtime import tf
from tfserving.server.errors import ServingError, invalid
from tfserving.server.json import values
from tfserving.server.json.echo import echo
from tfserving.server.json.parse import Value


def serialized(body: Mapping[bytes, Value]) -> list[bytes]:
    """Return the Examples of a request, each preceded by the shared context.

    Raises ServingError (INVALID_ARGUMENT) if one cannot be converted.
    """
    context = _example(body[b"context"]) if b"context" in body else b""
    if b"examples" not in body:
        # TensorFlow Serving says "classify" for regress as well.
        raise _malformed(body, "When method is classify, key 'examples' is expected and was not found")
    examples = body[b"examples"]
    if not isinstance(examples, list):
        raise _malformed(body, "Expecting 'examples' value to be an list/array")
    if not examples:
        raise _malformed(body, "'examples' value is an empty array")
    # Protobuf merges messages that are concatenated.
    return [context + _example(example) for example in examples]


def _malformed(body: Mapping[bytes, Value], what: str) -> ServingError:
    return invalid(f"JSON Value: {echo(dict(body))} {what}")


def _example(value: Value) -> bytes:
    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {values.kind(value)}")
    example = tf.train.Example()
    for key, item in value.items():
        name = key.decode("utf-8", "replace")
        example.features.feature[name].CopyFrom(_feature(name, item if isinstance(item, list) else [item]))
    return bytes(example.SerializeToString())


def _feature(name: str, items: list[Value]) -> Any:
    feature = tf.train.Feature()
    if not items:
        return feature
    first = _kind(name, items[0])
    converted: list[Any] = []
    for item in items:
        if _kind(name, item) != first:
            expected = first.removesuffix("_list")
            raise invalid(f"Unexpected element type in feature: {name} expecting type: {expected}")
        if first == "int64_list":
            converted.append(_integer(name, item))
        else:
            converted.append(item if first == "float_list" else values.tensor(item, "string").item())
    getattr(feature, first).value.extend(converted)
    return feature


def _kind(name: str, item: Value) -> str:
    if isinstance(item, bytes) or values.is_binary(item):
        return "bytes_list"
    if isinstance(item, float):
        return "float_list"
    if isinstance(item, int):
        return "int64_list"
    raise invalid(f"Feature: {name} has element with unexpected JSON type: {values.kind(item)}")


def _integer(name: str, item: Value) -> int:
    if not isinstance(item, int) or item >= 2**63:
        raise invalid(f"Feature: {name} has uint64_t element. Only int64_t is supported.")
    return int(item)
