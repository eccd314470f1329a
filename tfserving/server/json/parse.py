"""Parse JSON by the rules that TensorFlow Serving applies to requests.

They differ from those of Python's `json`: strings are bytes in any encoding, the first of several equal keys
counts, text after the value is ignored, NaN and Inf are numbers, and 1e400 is an error. Errors give the
offset in bytes. TensorFlow Serving does not limit the nesting.
"""

from typing import TypeAlias

from tfserving.server.errors import invalid
from tfserving.server.json.tokens import NumberLists, fail, scalar, skip, string

Value: TypeAlias = "bool | int | float | bytes | list[Value] | dict[bytes, Value] | None"
Container: TypeAlias = "list[Value] | dict[bytes, Value]"

_BOM = b"\xef\xbb\xbf"

MOST_LEVELS = 10_000
"""The deepest nesting of lists and objects."""


def parse(text: bytes) -> Value:
    """Return the first JSON value of a text; raise ServingError (INVALID_ARGUMENT) if there is none."""
    if not text:
        raise invalid("JSON Parse error: The document is empty")
    at = skip(text, len(_BOM) if text.startswith(_BOM) else 0)
    if at == len(text) or text[at] in b"]},:":
        fail("The document is empty.", at)
    numbers = NumberLists(text)
    # The open containers, and, for each object among them, the key that waits for its value.
    stack: list[Container] = []
    keys: list[bytes] = []
    while True:
        begun, value, at = _begin(text, at, numbers)
        ended = not begun
        while ended:
            if not stack:
                return value
            container = stack[-1]
            if isinstance(container, list):
                container.append(value)
            else:
                container.setdefault(keys.pop(), value)
            ended, at = _after(text, at, container)
            if ended:
                value = stack.pop()
        if begun:
            stack.append(value)  # type: ignore[arg-type] # what is begun is a list or an object
            if len(stack) > MOST_LEVELS:
                fail(f"More than {MOST_LEVELS} lists and objects within each other.", at)
        if isinstance(stack[-1], dict):
            key, at = _key(text, at)
            keys.append(key)


def _begin(text: bytes, at: int, numbers: NumberLists) -> tuple[bool, Value, int]:
    """Read a complete value, or begin a container.

    Returns whether it was only begun, the value, and the offset after it.
    """
    at = skip(text, at)
    if text.startswith(b"{", at):
        at = skip(text, at + 1)
        empty = text.startswith(b"}", at)
        return not empty, {}, at + empty
    if text.startswith(b"[", at):
        if quick := numbers.read(at):
            return False, *quick
        at = skip(text, at + 1)
        empty = text.startswith(b"]", at)
        return not empty, [], at + empty
    return False, *scalar(text, at)


def _after(text: bytes, at: int, container: Container) -> tuple[bool, int]:
    """Read the comma or the end after a value; return whether the container ends, and the offset after it."""
    at = skip(text, at)
    end = b"]" if isinstance(container, list) else b"}"
    if text.startswith((end, b","), at):
        return text.startswith(end, at), at + 1
    what = "an array element" if isinstance(container, list) else "an object member"
    return fail(f"Missing a comma or {end.decode()} after {what}.", at)


def _key(text: bytes, at: int) -> tuple[bytes, int]:
    at = skip(text, at)
    if not text.startswith(b'"', at):
        fail("Missing a name for object member.", at)
    key, at = string(text, at)
    at = skip(text, at)
    if not text.startswith(b":", at):
        fail("Missing a colon after a name of object member.", at)
    return key, at + 1
