"""The entries of a label file: numbers and labels, checked."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from consumer.labels.labels import Labels
from pipeline.wire.text import readable

FORMS: Final = (
    "a JSON list or object, a text with one label per line, CSV in a file *.csv, or a label map (pbtxt)"
)
"""The forms that are read, for messages."""

MOST_LABELS: Final = 100_000
LONGEST_LABEL: Final = 200  # characters

MOST_VALUES: Final = 4 * MOST_LABELS
"""Values of a JSON file or cells of a table: a label may have several."""

_DIGITS: Final = 20  # of a number, at most

_Item = TypeVar("_Item")

Entry = tuple[int | None, str]
"""A class number, if the file states it, and the label."""


def to_labels(entries: Sequence[Entry]) -> Labels:
    """Return a file's labels in the order of their numbers; raise ValueError if these do not fit."""
    if not entries:
        raise ValueError("expected at least one label")
    if len(entries) > MOST_LABELS:
        raise ValueError(f"expected at most {MOST_LABELS} labels, found {len(entries)}")
    for index, (_, label) in enumerate(entries):
        if len(label) > LONGEST_LABEL:
            raise ValueError(
                f"expected at most {LONGEST_LABEL} characters in label {index}, found {len(label)}"
            )
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in label):
            raise ValueError(f"expected printable characters in label {index}, found {label[:20]!r}")
        if not readable(label).strip():
            raise ValueError(f"expected a text as label {index}, found {label[:20]!r}")
    entries = [(number, readable(label)) for number, label in entries]
    numbers = [number for number, _ in entries if number is not None]
    if not numbers:
        return Labels(tuple(label for _, label in entries))
    if len(numbers) != len(entries):
        raise ValueError("expected a number for every label, found labels without one")
    if len(set(numbers)) != len(numbers):
        raise ValueError(f"expected one label for each number, found several for {repeated(numbers)}")
    if min(numbers) < 0:
        raise ValueError(f"expected numbers from 0, found {min(numbers)}")
    ordered = sorted(zip(numbers, (label for _, label in entries), strict=True))
    return Labels(tuple(label for _, label in ordered), tuple(number for number, _ in ordered))


def check(count: int, most: int, what: str) -> None:
    """Raise ValueError if a file has too many parts, before it is parsed: that takes memory and time."""
    if count > most:
        raise ValueError(f"expected at most {most} {what}, found {count}")


def class_number(text: str) -> int:
    """Return a number in a file; raise ValueError for one that cannot be a class number."""
    if len(text) > _DIGITS:
        raise ValueError(f"expected the number of a class, found one of {len(text)} digits")
    return int(text)


def repeated(items: Iterable[_Item]) -> _Item:
    """Return the first item that comes more than once."""
    return next(item for item, count in Counter(items).items() if count > 1)
