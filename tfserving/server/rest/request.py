"""Predict requests: convert JSON in row or column format to tensors."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Final

from tfserving.server.errors import ServingError, invalid
from tfserving.server.json import values
from tfserving.server.json.echo import echo
from tfserving.server.json.parse import Value, parse
from tfserving.server.json.values import Array
from tfserving.server.room import Room

LARGEST_JSON: Final = 128 << 20
"""Bytes of memory for the JSON of all requests that are read at the same time, and so for that of one."""

LONGEST_WAIT: Final = 30.0  # s for that memory

_PARSED: Final = Room(LARGEST_JSON, "JSON")


@dataclass(frozen=True, slots=True)
class Request:
    """A predict request with parsed JSON, not yet converted to tensors."""

    signature: str  # empty if the request names none
    body: Mapping[bytes, Value]

    @property
    def is_row(self) -> bool:
        """Whether the request and its response are in row format."""
        return b"instances" in self.body


def room(text: bytes) -> AbstractContextManager[None]:
    """Hold the memory that a body needs once it is parsed: an empty list takes 96 bytes instead of two.

    Raises ServingError if that is too much.
    """
    size = len(text) + 32 * text.count(b",") + 96 * text.count(b"[") + 256 * text.count(b"{")
    return _PARSED.take(size, LONGEST_WAIT)


def read(text: bytes) -> Request:
    """Return the request in a body; raise ServingError (INVALID_ARGUMENT) if it is not a valid request."""
    body = parse(text)
    if not isinstance(body, dict):
        raise invalid(f"JSON Value: {echo(body)} Is not object")
    name = body.get(b"signature_name", b"")
    if not isinstance(name, bytes):
        what = "not formatted correctly. 'signature_name' key must be a string value."
        raise invalid(f"JSON Value: {echo(body)} {what}")
    return Request(name.decode("utf-8", "replace"), body)


def feeds(request: Request, inputs: Mapping[str, str]) -> dict[str, Array]:
    """Return the tensor of each input, given the inputs' dtypes by alias.

    Raises ServingError if the shape or the values of the request do not match the inputs.
    """
    row, column = b"instances" in request.body, b"inputs" in request.body
    if row and column:
        what = "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist"
        raise invalid(f"JSON Value: {echo(dict(request.body))} {what}")
    if row:
        return _rows(request, inputs)
    if column:
        return _columns(request.body[b"inputs"], inputs)
    raise invalid("Missing 'inputs' or 'instances' key")


def _columns(value: Value, inputs: Mapping[str, str]) -> dict[str, Array]:
    if not isinstance(value, dict) or values.is_binary(value):
        if len(inputs) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required as"
                " per tensorinfo_map"
            )
        return {alias: values.tensor(value, dtype) for alias, dtype in inputs.items()}
    feeds = {}
    for alias, dtype in inputs.items():
        if alias.encode() not in value:
            raise invalid(f"Missing named input: {alias} in 'inputs' object.")
        feeds[alias] = values.tensor(value[alias.encode()], dtype)
    return feeds


def _rows(request: Request, inputs: Mapping[str, str]) -> dict[str, Array]:
    instances = request.body[b"instances"]
    if not isinstance(instances, list):
        raise invalid(f"JSON Value: {echo(dict(request.body))} Expecting 'instances' to be an list/array")
    if not instances:
        raise invalid(f"JSON Value: {echo(dict(request.body))} No values in 'instances' array")
    if len(inputs) > 1 and not isinstance(instances[0], dict):
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors required"
            " as per tensorinfo_map"
        )
    named = _is_named(instances[0])
    columns = _by_alias(instances, inputs) if named else dict.fromkeys(list(inputs)[:1], instances)
    if columns is not None and (named or not any(map(_is_named, instances))):
        with suppress(ServingError):
            # Convert all rows at once; only error messages need them one by one, which is slower.
            return {alias: values.tensor(column, inputs[alias]) for alias, column in columns.items()}
    firsts: dict[str, Array] = {}
    for i, item in enumerate(instances):
        _check_row(i, item, inputs, firsts, named=named)
    return {alias: values.tensor(column, inputs[alias]) for alias, column in (columns or {}).items()}


def _is_named(item: Value) -> bool:
    return isinstance(item, dict) and not values.is_binary(item)


def _by_alias(instances: list[Value], inputs: Mapping[str, str]) -> dict[str, list[Value]] | None:
    """Return the values of all rows for each input, or None if a row has other inputs."""
    keys = {alias.encode(): alias for alias in inputs}
    columns: dict[str, list[Value]] = {alias: [] for alias in inputs}
    for item in instances:
        if not isinstance(item, dict) or values.is_binary(item) or item.keys() != keys.keys():
            return None
        for key, value in item.items():
            columns[keys[key]].append(value)
    return columns


def _check_row(
    i: int, item: Value, inputs: Mapping[str, str], firsts: dict[str, Array], *, named: bool
) -> None:
    """Raise ServingError if a row is not a tensor for each input, or differs in shape from the first row."""
    if named != _is_named(item):
        expected = "object but got list" if named else "value/list but got object"
        raise invalid(f"Expecting {expected} at item {i} of input list")
    if not isinstance(item, dict) or not named:
        _check_value(f"{i} of", item, next(iter(inputs)), inputs, firsts)
        return
    for key, value in item.items():
        name = key.decode("utf-8", "replace")
        _check_value(f"{i} key: {name} of", value, name, inputs, firsts)
    if len(item) != len(inputs):
        raise invalid(
            f"Failed to process element: {i} of 'instances' list. JSON object: {echo(item)}"
            f" keys must be equal to: {','.join(sorted(inputs))}"
        )


def _check_value(
    where: str, value: Value, alias: str, inputs: Mapping[str, str], firsts: dict[str, Array]
) -> None:
    try:
        if alias not in inputs:
            raise invalid(f"JSON object: does not have named input: {alias}")
        array = values.tensor(value, inputs[alias])
        _compare(firsts.setdefault(alias, array), array)
    except ServingError as failure:
        raise invalid(
            f"Failed to process element: {where} 'instances' list."
            f" Error: {failure.code.name}: {failure.message}"
        ) from failure


def _compare(first: Array, array: Array) -> None:
    if first.shape == array.shape:
        return
    if first.size != array.size:
        raise invalid(f"Expecting tensor size: {first.size} but got: {array.size}")
    shapes = ["[" + ",".join(map(str, shape)) + "]" for shape in (first.shape, array.shape)]
    raise invalid(f"Expecting shape {shapes[0]} but got: {shapes[1]}")
