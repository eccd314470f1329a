"""Write tensors as JSON text, with numbers formatted as TensorFlow Serving does."""

import binascii
import math
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from tfserving.server.errors import invalid
from tfserving.server.json.dtypes import INTEGERS, REALS, spelling

_ESCAPED = re.compile(rb'["\\\x00-\x1f]')
_SHORT = {
    b'"': b'\\"',
    b"\\": b"\\\\",
    b"\b": b"\\b",
    b"\f": b"\\f",
    b"\n": b"\\n",
    b"\r": b"\\r",
    b"\t": b"\\t",
}
_TOKENS = {b"nan": b"NaN", b"inf": b"Infinity", b"-inf": b"-Infinity"}


def quote(text: bytes) -> bytes:
    """Return bytes in any encoding as a JSON string; only bytes that JSON forbids are escaped."""
    return b'"' + _ESCAPED.sub(_escape, text) + b'"'


def _escape(match: re.Match[bytes]) -> bytes:
    character = match[0]
    return _SHORT.get(character) or b"\\u%04X" % character[0]


def reals(values: npt.NDArray[np.floating[Any]]) -> list[bytes]:
    """Return the text of each float32 or float64 of a flat array.

    Six significant digits if they read back as the same number, otherwise as many as always do (9 or 17).
    """
    exact = b"%.9g " if values.dtype == np.float32 else b"%.17g "
    numbers = values.tolist()
    texts = (b"%.6g " * len(numbers) % tuple(numbers)).split()
    with np.errstate(over="ignore"):
        back = np.array(list(map(float, texts))).astype(values.dtype)
    longer = np.flatnonzero(back != values)
    for i, text in zip(longer, (exact * len(longer) % tuple(values[longer].tolist())).split(), strict=True):
        texts[i] = text
    return [text if b"." in text or b"e" in text else _TOKENS.get(text) or text + b".0" for text in texts]


def elements(array: npt.NDArray[Any], alias: str) -> list[bytes]:
    """Return the JSON text of each element, in order; as binary strings if the alias ends in `_bytes`.

    Raises ServingError (INVALID_ARGUMENT) for a dtype that JSON cannot express.
    """
    flat = array.ravel()
    if flat.dtype == object:
        strings = [item if isinstance(item, bytes) else str(item).encode() for item in flat.tolist()]
        if alias.endswith("_bytes"):
            return [b'{"b64": "' + binascii.b2a_base64(text, newline=False) + b'"}' for text in strings]
        return [quote(text) for text in strings]
    if flat.dtype.name in REALS:
        return reals(flat)
    if flat.dtype == np.bool_:
        return [b"true" if item else b"false" for item in flat.tolist()]
    if flat.dtype.name in INTEGERS:
        return [b"%d" % item for item in flat.tolist()]
    raise invalid(f"Failed to write JSON value for tensor type: {spelling(flat.dtype.name)}")


def nested(texts: list[bytes], shape: tuple[int, ...]) -> list[bytes]:
    """Join the texts of a tensor's elements into all lists but the outermost; return one text per row."""
    for axis in range(len(shape) - 1, 0, -1):
        size = shape[axis]
        starts = (i * size for i in range(math.prod(shape[:axis])))
        texts = [b"[" + b", ".join(texts[start : start + size]) + b"]" for start in starts]
    return texts


def tensor(array: npt.NDArray[Any], alias: str) -> bytes:
    """Return a tensor as JSON text: nested lists, or one element if the rank is 0."""
    texts = nested(elements(array, alias), array.shape)
    return b"[" + b", ".join(texts) + b"]" if array.ndim else texts[0]
