"""Predict requests: JSON in row or column format to tensors."""

from collections.abc import Mapping
from dataclasses import dataclass

from tfserving.server import values
from tfserving.server.echo import echo
from tfserving.server.errors import ServingError, invalid
from tfserving.server.parse import Value, parse
from tfserving.server.values import Array


@dataclass(frozen=True, slots=True)
class Request:
    """A predict request whose JSON is read, its tensors not yet."""

    signature: str  # empty where the request names none
    body: Mapping[bytes, Value]

    @property
    def is_row(self) -> bool:
        """Whether the request is in row format, and its answer is to be."""
        return b"instances" in self.body


def read(text: bytes) -> Request:
    """Return the request in a body; raise ServingError (INVALID_ARGUMENT) where it is none."""
    body = parse(text)
    if not isinstance(body, dict):
        raise invalid(f"JSON Value: {echo(body)} Is not object")
    name = body.get(b"signature_name", b"")
    if not isinstance(name, bytes):
        raise invalid(f"JSON Value: {echo(name)} 'signature_name' key must be a string value.")
    return Request(name.decode("utf-8", "replace"), body)


def feeds(request: Request, inputs: Mapping[str, str]) -> dict[str, Array]:
    """Return the tensor of each input, given the inputs' dtypes by alias.

    Raises ServingError where the request's shape or its values do not fit them.
    """
    row, column = b"instances" in request.body, b"inputs" in request.body
    if row and column:
        raise invalid("Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist")
    if row:
        return _rows(request.body[b"instances"], inputs)
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


def _rows(instances: Value, inputs: Mapping[str, str]) -> dict[str, Array]:
    if not isinstance(instances, list):
        raise invalid(f"JSON Value: {echo(instances)} Expecting 'instances' to be an list/array")
    if not instances:
        raise invalid("JSON Value: [] No values in 'instances' array")
    if _is_named(instances[0]):
        return _named_rows(instances, inputs)
    for i, item in enumerate(instances):
        if _is_named(item):
            raise invalid(f"Expecting value/list but got object at item {i} of input list")
    if len(inputs) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors required"
            " as per tensorinfo_map"
        )
    return {alias: _stacked(instances, dtype) for alias, dtype in inputs.items()}


def _is_named(item: Value) -> bool:
    return isinstance(item, dict) and not values.is_binary(item)


def _named_rows(instances: list[Value], inputs: Mapping[str, str]) -> dict[str, Array]:
    aliases = {alias.encode(): alias for alias in sorted(inputs)}
    columns: dict[str, list[Value]] = {alias: [] for alias in inputs}
    for i, item in enumerate(instances):
        if not isinstance(item, dict) or values.is_binary(item):
            raise invalid(f"Expecting object but got list at item {i} of input list")
        for key, value in item.items():
            if key not in aliases:
                name = key.decode("utf-8", "replace")
                raise invalid(
                    f"Failed to process element: {i} of 'instances' list."
                    f" JSON object: does not have named input: {name}"
                )
            columns[aliases[key]].append(value)
        if len(item) != len(aliases):
            keys = ",".join(aliases.values())
            raise invalid(
                f"Failed to process element: {i} of 'instances' list. JSON object: {echo(item)}"
                f" keys must be equal to: {keys}"
            )
    return {alias: _stacked(columns[alias], dtype, f" key: {alias}") for alias, dtype in inputs.items()}


def _stacked(items: list[Value], dtype: str, key: str = "") -> Array:
    """Return the tensors of all items as one, the items along its 0th dimension."""
    try:
        return values.tensor(items, dtype)
    except ServingError as failure:
        whole = failure
    first: Array | None = None
    for i, item in enumerate(items):
        try:
            array = values.tensor(item, dtype)
            _compare(first, array)
        except ServingError as failure:
            raise invalid(
                f"Failed to process element: {i}{key} of 'instances' list."
                f" Error: {failure.code.name}: {failure.message}"
            ) from failure
        first = array if first is None else first
    raise whole


def _compare(first: Array | None, array: Array) -> None:
    if first is None or first.shape == array.shape:
        return
    if first.size != array.size:
        raise invalid(f"Expecting tensor size: {first.size} but got: {array.size}")
    shapes = ["[" + ",".join(map(str, shape)) + "]" for shape in (first.shape, array.shape)]
    raise invalid(f"Expecting shape {shapes[0]} but got: {shapes[1]}")
