"""What is given to sinks is checked before anything is sent."""

import json
import operator
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from pipeline.service.values import check_topic

_LAST_ID: Final = 2**32 - 1  # an id has four bytes in control messages


def bootstrap(value: object) -> str:
    """Return Kafka's address; raise ValueError if it is none."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"bootstrap {short(value)}: expected Kafka's address, such as 'localhost:9092'")
    return value


def deployment(value: Any, *, least: int = 1) -> int:
    """Return a deployment's id; raise ValueError for anything but a whole number in its range."""
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if isinstance(value, bool) or not least <= number <= _LAST_ID:
        raise ValueError(f"deployment {short(value)}: expected its id, a number from {least} to {_LAST_ID}")
    return number


def topics(**names: object) -> None:
    """Raise ValueError unless Kafka allows all these topics, by what they are for, and they differ."""
    purposes = dict[object, str]()
    for purpose, name in names.items():
        try:
            check_topic(name if isinstance(name, str) else "")
        except ValueError as error:
            raise ValueError(f"{purpose} {short(name)}: {error}") from None
        if name in purposes:
            raise ValueError(f"{purpose} {name}: expected another topic than {purposes[name]}")
        purposes[name] = purpose


def options(given: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """Return what all sinks take, with Python's own numbers; raise ValueError for what cannot be used."""
    if unknown := given.keys() - known:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}: expected {', '.join(sorted(known))}")
    found = {name: each.item() if isinstance(each, np.generic) else each for name, each in given.items()}
    for name in ("validation_rate", "test_rate"):
        rate = found.get(name, 0)
        if isinstance(rate, bool) or not isinstance(rate, int | float):
            raise ValueError(f"{name} {short(rate)}: expected a number from 0 to less than 1")
    description = found.get("description", "")
    if not isinstance(description, str) or "\0" in description or not _is_unicode(description):
        raise ValueError(f"description {short(description)}: expected a text")
    if not isinstance(found.get("config") or {}, Mapping):
        raise ValueError("config: expected librdkafka's settings, such as {'security.protocol': 'SSL'}")
    if not callable(found.get("progress", print)):
        raise ValueError(f"progress {short(found['progress'])}: expected a function of two numbers")
    restrictions = found.get("dataset_restrictions", {})
    if not isinstance(restrictions, Mapping) or not _is_json(restrictions):
        raise ValueError(
            f"dataset_restrictions {short(restrictions)}: expected what JSON can have, such as"
            " {'country': 'es'}"
        )
    if not isinstance(found.get("online", False), bool):
        raise ValueError(f"online {short(found['online'])}: expected True or False")
    return found


def short(value: object) -> str:
    """Return a value in at most 60 characters, as Python writes it."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:60]}…"


def _is_json(value: Mapping[str, Any]) -> bool:
    try:
        return _is_unicode(json.dumps(dict(value), ensure_ascii=False, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return False


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return False
    return True
