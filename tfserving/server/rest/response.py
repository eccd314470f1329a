"""Predict responses: convert tensors to JSON in row or column format."""

from collections.abc import Mapping

from tfserving.server.errors import invalid
from tfserving.server.json import write
from tfserving.server.json.values import Array


def text(outputs: Mapping[str, Array], *, row: bool) -> bytes:
    """Return the JSON text of a response with these outputs, by alias.

    Raises ServingError (INVALID_ARGUMENT) if an output cannot be written.
    """
    if not outputs:
        raise invalid("Cannot convert empty tensor map to JSON")
    if row:
        return b'{"predictions": [' + b", ".join(_output_rows(outputs)) + b"]}"
    texts = {alias: write.tensor(outputs[alias], alias) for alias in sorted(outputs)}
    whole = next(iter(texts.values())) if len(texts) == 1 else _object(texts)
    return b'{"outputs": ' + whole + b"}"


def _output_rows(outputs: Mapping[str, Array]) -> list[bytes]:
    batch: int | None = None
    columns = {}
    for alias in sorted(outputs):
        array = outputs[alias]
        if not array.ndim:
            raise invalid(f"Tensor name: {alias} has no shape information ")
        if batch is None:
            batch = len(array)
        if len(array) != batch:
            raise invalid(
                f"Tensor name: {alias} has inconsistent batch size: {len(array)} expecting: {batch}"
            )
        columns[alias] = write.nested(write.elements(array, alias), array.shape)
    if len(columns) == 1:
        return next(iter(columns.values()))
    return [_object(dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]


def _object(texts: Mapping[str, bytes]) -> bytes:
    members = [write.quote(alias.encode()) + b": " + text for alias, text in texts.items()]
    return b"{" + b", ".join(members) + b"}"
