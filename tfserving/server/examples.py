"""Classify and regress requests: JSON features to serialized Examples."""

from collections.abc import Mapping
from typing import Any

from tfserving.runtime import tf
from tfserving.server import values
from tfserving.server.errors import invalid
from tfserving.server.parse import Value


def serialized(body: Mapping[bytes, Value], verb: str) -> list[bytes]:
    """Return the Examples of a request, each behind the context that all share.

    Raises ServingError (INVALID_ARGUMENT) where one cannot be converted.
    """
    context = _example(body[b"context"]) if b"context" in body else b""
    if b"examples" not in body:
        raise invalid(f"When method is {verb}, key 'examples' is expected and was not found")
    examples = body[b"examples"]
    if not isinstance(examples, list):
        raise invalid("Expecting 'examples' value to be an list/array")
    if not examples:
        raise invalid("'examples' value is an empty array")
    # Messages written one after the other are read as one, merged.
    return [context + _example(example) for example in examples]


def _example(value: Value) -> bytes:
    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {values.kind(value)}")
    example = tf.train.Example()
    for key, item in value.items():
        name = key.decode("utf-8", "replace")
        example.features.feature[name].CopyFrom(_feature(name, item if isinstance(item, list) else [item]))
    return bytes(example.SerializeToString())


def _feature(name: str, items: list[Value]) -> Any:
    kinds = [_kind(name, item) for item in items]
    for kind in kinds:
        if kind != kinds[0]:
            raise invalid(f"Unexpected element type in feature: {name} expecting type: {kinds[0]}")
    if not items:
        return tf.train.Feature()
    if kinds[0] == "float":
        return tf.train.Feature(float_list=tf.train.FloatList(value=items))
    if kinds[0] == "int64":
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[_integer(name, item) for item in items]))
    strings = values.tensor(items, "string").tolist()
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=strings))


def _kind(name: str, item: Value) -> str:
    if isinstance(item, bytes) or values.is_binary(item):
        return "bytes"
    if isinstance(item, float):
        return "float"
    if isinstance(item, int):
        return "int64"
    raise invalid(f"Feature: {name} has element with unexpected JSON type: {values.kind(item)}")


def _integer(name: str, item: Value) -> int:
    if not isinstance(item, int) or item >= 2**63:
        raise invalid(f"Feature: {name} has uint64_t element. Only int64_t is supported.")
    return int(item)
