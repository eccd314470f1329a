"""Read the tokens of JSON text (strings, numbers and words) from an offset.

Each reader returns its value and the offset after it, or raises ServingError (INVALID_ARGUMENT).
"""

import json
import math
import re
from typing import Any, NoReturn

from tfserving.server.errors import invalid

_SPACE = re.compile(rb"[ \t\n\r]*")
_WORD = re.compile(rb"null|true|false|NaN|-?Inf(?:inity)?")
_WORDS: dict[bytes, bool | float | None] = {b"null": None, b"true": True, b"false": False, b"NaN": math.nan}
_NUMBER = re.compile(rb"(-?(?:0|[1-9][0-9]*))(\.[0-9]*)?(?:[eE]([+-]?[0-9]*))?")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_HEX = re.compile(rb"[0-9a-fA-F]{4}")
_ESCAPES = dict(zip(b'"\\/bfnrt', b'"\\/\b\f\n\r\t', strict=True))

_RUN = re.compile(rb"[-+0-9.eE,\[\] \t\n\r]*")
# Numbers near the limits of double, int64 and uint64 follow special rules.
_LARGE_REAL = re.compile(r"[eE]\+?[0-9]{3}")
_LONG_INTEGER = re.compile(r"[-\[, \t\n\r][0-9]{19}")


def skip(text: bytes, at: int) -> int:
    """Return the offset of the next byte that is not whitespace."""
    match = _SPACE.match(text, at)
    return match.end() if match else at


def scalar(text: bytes, at: int) -> tuple[bool | int | float | bytes | None, int]:
    """Read a string, a number or a word."""
    if text.startswith(b'"', at):
        return string(text, at)
    if match := _WORD.match(text, at):
        word = match[0]
        return _WORDS[word] if word in _WORDS else float(word), match.end()
    return _number(text, at)


def string(text: bytes, at: int) -> tuple[bytes, int]:
    """Read a string from its opening quote; its bytes need not be UTF-8."""
    at += 1
    parts = []
    while match := _PLAIN.match(text, at):
        parts.append(match[0])
        at = match.end()
        if text.startswith(b'"', at):
            return b"".join(parts), at + 1
        if not text.startswith(b"\\", at):
            break
        part, at = _escape(text, at + 1)
        parts.append(part)
    if at < len(text):
        fail("Invalid encoding in string.", at)
    return fail("Missing a closing quotation mark in string.", at)


def fail(what: str, at: int) -> NoReturn:
    """Raise the error for what is wrong at an offset."""
    raise invalid(f"JSON Parse error: {what} at offset: {at}")


class NumberLists:
    """Reads lists, nested or not, that contain only numbers: the fast path for tensors.

    A run of text that contains only numbers is scanned once, however many lists it holds.
    """

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._run = ""
        self._start = self._end = 0
        self._usable = False
        self._decoder = json.JSONDecoder()

    def read(self, at: int) -> tuple[list[Any], int] | None:
        """Return the list that begins at an offset, or None if it has to be read element by element."""
        if at >= self._end:
            match = _RUN.match(self._text, at)
            self._run = match[0].decode("ascii") if match else ""
            self._start, self._end = at, at + len(self._run)
            self._usable = not (_LARGE_REAL.search(self._run) or _LONG_INTEGER.search(self._run))
        if not self._usable:
            return None
        try:
            value, end = self._decoder.raw_decode(self._run, at - self._start)
        except (ValueError, RecursionError):
            # It continues beyond the run, is not JSON, or is nested very deeply.
            self._usable = False
            return None
        return value, self._start + end


def _number(text: bytes, at: int) -> tuple[int | float, int]:
    match = _NUMBER.match(text, at)
    if match is None:
        fail("Invalid value.", at)
    whole, fraction, exponent = match.groups()
    if fraction == b".":
        fail("Miss fraction part in number.", match.end(2))
    if exponent is not None and not exponent[-1:].isdigit():
        fail("Miss exponent in number.", match.end())
    if fraction is None and exponent is None and len(whole) <= 20:
        integer = int(whole)
        if -(2**63) <= integer < 2**64:
            return integer, match.end()
    real = float(match[0])
    if math.isinf(real):
        fail("Number too big to be stored in double.", at)
    return real, match.end()


def _escape(text: bytes, at: int) -> tuple[bytes, int]:
    if not text.startswith(b"u", at):
        if at >= len(text) or text[at] not in _ESCAPES:
            fail("Invalid escape character in string.", at - 1)
        return bytes([_ESCAPES[text[at]]]), at + 1
    unit, at = _unit(text, at + 1)
    if 0xD800 <= unit < 0xDC00:
        low, at = _unit(text, at + 2) if text.startswith(b"\\u", at) else (0, at)
        if not 0xDC00 <= low < 0xE000:
            fail("The surrogate pair in string is invalid.", at)
        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)
    return chr(unit).encode("utf-8", "surrogatepass"), at


def _unit(text: bytes, at: int) -> tuple[int, int]:
    match = _HEX.match(text, at)
    if match is None:
        fail("Incorrect hex digit after \\u escape in string.", at)
    return int(match[0], 16), match.end()
