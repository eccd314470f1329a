"""The fields of a JSON object in a message, each checked when it is taken."""

import json
import math
from collections.abc import Callable
from typing import Any, Final, NoReturn

LONGEST_REASON: Final = 500
"""Characters of a reason in a message."""

_HIGHEST: Final = 2**53 - 1
_NEEDED: Final = object()


class Object:
    """A JSON object, called `what` in errors. All methods raise ValueError with one line."""

    def __init__(self, what: str, fields: object) -> None:
        if not isinstance(fields, dict):
            raise ValueError(f"{what}: expected a JSON object, found {kind(fields)}")
        self._what = what
        self._fields = fields

    @classmethod
    def parse(cls, what: str, value: bytes | None) -> "Object":
        """Return the object in a message's value."""
        if not value:
            raise ValueError(f"{what} without a value: expected a JSON object")
        try:
            fields = json.loads(value, parse_constant=_refuse)
            json.dumps(fields, ensure_ascii=False).encode()  # raises ValueError for half a surrogate pair
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{what}: expected JSON in UTF-8, found invalid JSON: {error}") from None
        return cls(what, fields)

    def __contains__(self, name: str) -> bool:
        return self._fields.get(name) is not None

    def take(self, name: str, convert: Callable[[object], Any], default: Any = _NEEDED) -> Any:
        """Return a field as `convert` returns it; without `default`, it must be there."""
        value = self._fields.get(name)
        if value is None:
            if default is _NEEDED:
                raise ValueError(f"{self._what}: the field {name} is missing")
            return default
        try:
            return convert(value)
        except ValueError as error:
            raise ValueError(f"{self._what}: {name}: {error}") from None

    def inner(self, name: str) -> "Object":
        """Return an object in a field."""
        found: Object = self.take(name, lambda value: Object(f"{self._what}: {name}", value))
        return found


def text(value: object) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise ValueError(f"expected a text, found {kind(value)}")
    return value


def reason(value: object) -> str:
    """Return a text as one line of at most `LONGEST_REASON` characters."""
    return " ".join(text(value)[: 2 * LONGEST_REASON].replace("\0", "?").split())[:LONGEST_REASON]


def flag(value: object) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, found {kind(value)}")
    return value


def whole(least: int, most: int = _HIGHEST) -> Callable[[object], int]:
    """Return what checks a whole number from `least` to `most`."""

    def convert(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"expected a whole number from {least}, found {kind(value)}")
        return value

    return convert


def mapping(value: object) -> dict[str, Any]:
    """Return an object, or the one in a text with JSON, as the federated sinks of Kafka-ML send it."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError("expected a JSON object, found a text that is not JSON") from None
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, found {kind(value)}")
    return value


def number(value: object) -> float | None:
    """Return a finite number, or None for null."""
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        found = float(value) if is_number else math.nan  # type: ignore[arg-type]
    except OverflowError:
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f"expected a finite number or null, found {kind(value)}")
    return found


def kind(value: object) -> str:
    """Return what a JSON value is, in a few words."""
    shown = json.dumps(value)
    return shown if len(shown) <= 40 else f"{shown[:40]}…"


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
