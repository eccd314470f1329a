"""The part of a request's JSON that an error message quotes."""

from collections.abc import Iterator

import numpy as np

from tfserving.server.json.parse import Value
from tfserving.server.json.write import quote, reals

LIMIT = 256  # bytes


def echo(value: Value) -> str:
    """Return a value's JSON text, cut off after 256 bytes."""
    text = b""
    # Each level writes a byte before it goes deeper, so this limit bounds the depth too.
    for piece in _pieces(value):
        text += piece
        if len(text) >= LIMIT:
            break
    return text[:LIMIT].decode("utf-8", "replace")


def _pieces(value: Value) -> Iterator[bytes]:
    if isinstance(value, list):
        yield b"["
        for i, item in enumerate(value):
            yield b"," if i else b""
            yield from _pieces(item)
        yield b"]"
    elif isinstance(value, dict):
        yield b"{"
        for i, (key, item) in enumerate(value.items()):
            yield (b"," if i else b"") + quote(key[:LIMIT]) + b":"
            yield from _pieces(item)
        yield b"}"
    else:
        yield _scalar(value)


def _scalar(value: bool | int | float | bytes | None) -> bytes:
    if isinstance(value, bytes):
        return quote(value[:LIMIT])
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, float):
        return reals(np.array([value]))[0]
    return b"null"
