"""The strings in serialized Examples: all that TensorFlow finds in them, and perhaps more."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfserving.runtime import tf
from tfserving.server.graph.elements import elements

MANY = 100_000


def field(number: int, content: bytes, *, padding: int = 0, high: int = 0) -> bytes:
    """Return a field with a length of more bytes than necessary, or with bits beyond the first 32."""
    length = len(content) | high << 32
    digits = list[int]()
    while length or not digits:
        digits.append(length & 0x7F)
        length >>= 7
    digits += [0] * padding
    return bytes([number << 3 | 2, *(digit | 0x80 for digit in digits[:-1]), digits[-1]]) + content


def strings(*texts: bytes) -> bytes:
    return field(1, b"".join(field(1, text) for text in texts))


def example(value: bytes, name: bytes = b"x") -> bytes:
    return field(1, field(1, field(1, name) + field(2, value)))


WANTED = {"x": tf.io.VarLenFeature(tf.string)}
EXAMPLES: list[Callable[[bytes], Any]] = [
    lambda data: tf.io.parse_example([data], WANTED),
    lambda data: tf.io.parse_single_example(data, WANTED),
]
SEQUENCES: list[Callable[[bytes], Any]] = [
    lambda data: tf.io.parse_sequence_example([data], WANTED)[0],
    lambda data: tf.io.parse_sequence_example([data], sequence_features=WANTED)[1],
]


def parsed(data: bytes, parsers: Iterable[Callable[[bytes], Any]]) -> Iterator[bytes]:
    """Yield the strings that TensorFlow's own parsers find."""
    for parse in parsers:
        with suppress(tf.errors.InvalidArgumentError, UnicodeDecodeError):
            yield from parse(data)["x"].values.numpy().tolist()


NESTED = [
    example(strings(b"cat", b"dog")),
    example(strings(b"cat")) + example(strings(b"dog")),
    field(1, b"") + example(strings(b"cat") + strings(b"dog")),
    example(strings(b"cat") + field(2, field(1, bytes(4)))),
    field(1, field(1, field(1, b"x") + field(2, strings(b"cat"))), padding=3),
    field(1, field(1, field(1, b"x") + field(2, field(1, field(1, b"cat", padding=4)))), high=1),
    field(1, field(1, field(1, b"x") + field(2, field(1, field(1, b"cat", high=7))))),
    b"\x0b\x0c" + example(strings(b"cat")),
    b"\x0b" + example(strings(b"cat")) + b"\x0c",
    b"\x00\x00" + example(strings(b"cat")),
    b"\x89PNG\r\n\x1a\n  \x08\0\x08\0\x08\0\0\0\0\1\0\0\0\1" + example(strings(b"cat")),
    example(strings(b"cat"))[:-1],
    field(2, field(1, field(1, b"x") + field(2, field(1, strings(b"cat")) + field(1, strings(b"dog"))))),
    example(strings(b"cat")) + field(2, field(1, field(1, b"x") + field(2, field(1, strings(b"dog"))))),
]


@pytest.mark.parametrize("data", NESTED)
def test_what_tensorflow_finds_is_found(data: bytes) -> None:
    assert {*parsed(data, EXAMPLES + SEQUENCES)} <= {*elements([data], MANY)}


def test_tensorflow_finds_something_in_most_of_them() -> None:
    assert sum(bool([*parsed(data, EXAMPLES + SEQUENCES)]) for data in NESTED) > len(NESTED) / 2


@given(st.sampled_from(NESTED), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=3))
def test_what_tensorflow_finds_in_a_damaged_message_is_found(
    data: bytes, changes: list[tuple[int, int]]
) -> None:
    damaged = bytearray(data)
    for at, byte in changes:
        damaged[at % len(damaged)] = byte

    # Not SEQUENCES: TensorFlow's parser crashes.
    assert {*parsed(bytes(damaged), EXAMPLES)} <= {*elements([bytes(damaged)], MANY)}


def test_the_fields_of_all_messages_count() -> None:
    data = example(strings(b"cat"))
    fields = 2 + 1 + 2 + 1 + 1

    assert [*elements([data] * 10, 10 * fields)] == [b"cat"] * 10
    with pytest.raises(ValueError, match="too many fields"):
        list(elements([data] * 10, 10 * fields - 1))


@given(st.binary())
def test_any_bytes_are_read(data: bytes) -> None:
    assert all(text in data for text in elements([data], MANY))
