"""JSON is read as TensorFlow Serving reads it."""

import json
import math
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tfserving.server.strategies import BODIES, DOCUMENTS
from tfserving.server.errors import Code, ServingError
from tfserving.server.json.parse import MOST_LEVELS, Value, parse


def as_bytes(value: Any) -> Value:
    """Return what Python's json reads with its strings as bytes."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, list):
        return [as_bytes(item) for item in value]
    if isinstance(value, dict):
        return {key.encode(): as_bytes(item) for key, item in value.items()}
    return value  # type: ignore[no-any-return]


def complaint(text: bytes) -> str:
    with pytest.raises(ServingError) as caught:
        parse(text)
    assert caught.value.code == Code.INVALID_ARGUMENT
    return caught.value.message


@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 1]))
def test_everything_the_json_module_writes_is_read(
    document: Any, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()

    value = parse(text)

    assert repr(value) == repr(as_bytes(document))


@given(BODIES)
def test_any_bytes_are_either_read_or_refused(text: bytes) -> None:
    with suppress(ServingError):
        parse(text)


@given(DOCUMENTS, st.binary())
def test_text_after_an_object_is_ignored(document: Any, rest: bytes) -> None:
    text = json.dumps({"a": document}).encode()

    assert repr(parse(text + rest)) == repr(parse(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"NaN", math.nan),
        (b"[Inf, -Inf, Infinity, -Infinity]", [math.inf, -math.inf, math.inf, -math.inf]),
        (b"18446744073709551615", 2**64 - 1),
        (b"18446744073709551616", 2.0**64),
        (b"[-9223372036854775808, -9223372036854775809]", [-(2**63), -(2.0**63)]),
        (b"[1.0, 1e2, 1]", [1.0, 100.0, 1]),
        (b"[[1e-400], [12345678901234567890123.5]]", [[0.0], [12345678901234567890123.5]]),
        (b'{"a": 1, "a": 2}', {b"a": 1}),
        (b'"\xff\xfe"', b"\xff\xfe"),
        (b'"\\ud83d\\ude00 \\u00e9"', "😀 é".encode()),
        (b'\xef\xbb\xbf{"a": []}', {b"a": []}),
        (b'{"a": {}, "b": [ ]} and more', {b"a": {}, b"b": []}),
    ],
)
def test_extensions_of_json_are_read(text: bytes, value: Value) -> None:
    assert repr(parse(text)) == repr(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "The document is empty"),
        (b" \n", "The document is empty. at offset: 2"),
        (b"}", "The document is empty. at offset: 0"),
        (b"nul", "Invalid value. at offset: 0"),
        (b"[1,]", "Invalid value. at offset: 3"),
        (b"['a']", "Invalid value. at offset: 1"),
        (b"{a: 1}", "Missing a name for object member. at offset: 1"),
        (b'{"a": 1,}', "Missing a name for object member. at offset: 8"),
        (b'{"a" 1}', "Missing a colon after a name of object member. at offset: 5"),
        (b'{"a": 1 "b"', "Missing a comma or } after an object member. at offset: 8"),
        (b"[1 2]", "Missing a comma or ] after an array element. at offset: 3"),
        (b"[01]", "Missing a comma or ] after an array element. at offset: 2"),
        (b"[1", "Missing a comma or ] after an array element. at offset: 2"),
        (b"[1, 1e400]", "Number too big to be stored in double. at offset: 4"),
        (b"1.", "Miss fraction part in number. at offset: 2"),
        (b"1e+", "Miss exponent in number. at offset: 3"),
        (b'"a\nb"', "Invalid encoding in string. at offset: 2"),
        (b'"ab', "Missing a closing quotation mark in string. at offset: 3"),
        (b'"\\x"', "Invalid escape character in string. at offset: 1"),
        (b'"\\u12x4"', "Incorrect hex digit after \\u escape in string. at offset: 3"),
        (b'"\\ud800"', "The surrogate pair in string is invalid. at offset: 7"),
        (b"/**/ 1", "Invalid value. at offset: 0"),
    ],
)
def test_an_error_says_what_is_wrong_and_where(text: bytes, message: str) -> None:
    assert complaint(text) == f"JSON Parse error: {message}"


@pytest.mark.exceeds("tfserving.server.json.parse.MOST_LEVELS")
@pytest.mark.parametrize(("begin", "end"), [(b"[", b"]"), (b'{"a":', b"}"), (b'["x",', b"]")])
def test_nesting_has_a_limit(begin: bytes, end: bytes) -> None:
    def deep(levels: int) -> bytes:
        return b'{"deep":' + begin * levels + b"1" + end * levels + b', "b": 1}'

    value = parse(deep(MOST_LEVELS - 1))

    assert isinstance(value, dict)
    assert value[b"b"] == 1
    assert f"More than {MOST_LEVELS} lists and objects" in complaint(deep(MOST_LEVELS))
    assert f"More than {MOST_LEVELS} lists and objects" in complaint(begin * 100_000)


@pytest.mark.parametrize(
    "text", [b'{"b64": "' + b"A" * 200_000 + b'"}', b"[" + b"0.123456789, " * 10_000 + b"1]"]
)
def test_large_requests_are_read_in_linear_time(text: bytes) -> None:
    started = time.perf_counter()

    parse(text)

    assert time.perf_counter() - started < 5, "it takes milliseconds"
