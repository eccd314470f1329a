"""Limits a protobuf message before it is parsed.

Parsing turns two bytes into a hundred: an empty submessage becomes an object. The fields are counted in the
wire format (https://protobuf.dev/programming-guides/encoding), without creating any.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, TypeAlias

from google.protobuf.descriptor import FieldDescriptor

MOST_FIELDS: Final = 100_000
"""The most fields that a message may have, in all its submessages; each takes up to 0.5 KB when parsed."""

_DEEPEST: Final = 20  # messages within each other
_NUMBERS_PER_FIELD: Final = 64  # in a packed field; each takes up to 8 bytes when parsed
_FIXED: Final = {
    FieldDescriptor.CPPTYPE_FLOAT,
    FieldDescriptor.CPPTYPE_DOUBLE,
    FieldDescriptor.CPPTYPE_STRING,
}

Descriptor: TypeAlias = Any
"""A message's `DESCRIPTOR`, of either implementation of protobuf."""


def check(data: bytes, kind: Descriptor) -> None:
    """Raise ValueError if parsing a message of this kind would take much more memory than its bytes.

    What cannot be read is left to the parser.
    """
    if _rest(data, 0, len(data), kind, left=MOST_FIELDS, deep=_DEEPEST) < 0:
        raise ValueError(f"expected at most {MOST_FIELDS} fields and elements, found more")


def _rest(data: bytes, at: int, end: int, kind: Descriptor, *, left: int, deep: int) -> int:
    """Return how many fields are left after those from `at` to `end`; less than 0 if there are too many."""
    kinds = _kinds(kind)
    while at < end and left >= 0:
        left -= 1
        tag, at = _number(data, at, end)
        wire = tag & 7
        if wire == 2:
            length, at = _number(data, at, end)
            if length > end - at:
                break
            if tag >> 3 in kinds:
                inner = kinds[tag >> 3]
                if inner is None:
                    left -= length // _NUMBERS_PER_FIELD
                elif not deep:
                    raise ValueError(f"expected at most {_DEEPEST} messages within each other, found more")
                else:
                    left = _rest(data, at, at + length, inner, left=left, deep=deep - 1)
            at += length
        elif wire == 0:
            _, at = _number(data, at, end)
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ValueError("expected no groups, found one")
    return left


def _number(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return the number of variable length at an offset, and the offset after it."""
    number = shift = 0
    while at < end:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80 or shift > 63:
            break
        shift += 7
    return number, at


@cache
def _kinds(kind: Descriptor) -> Mapping[int, Descriptor | None]:
    """Return what those fields contain that need more memory than their bytes, by their numbers.

    None stands for packed numbers of variable length.
    """
    return {
        field.number: field.message_type
        for field in kind.fields
        if field.message_type or (field.is_repeated and field.cpp_type not in _FIXED)
    }
