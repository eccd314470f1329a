"""Reads label files: texts, JSON, CSV, and the label maps of TensorFlow's object detection."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from consumer.labels.as_json import from_json
from consumer.labels.as_table import from_csv, is_csv, reads_as_csv
from consumer.labels.entries import FORMS, MOST_LABELS, Entry, check, class_number, to_labels
from consumer.labels.labels import Labels

_NUMBERED_LINE: Final = re.compile(r"\s*(\d{1,6})\s*[:;,=\t ]\s*(\S.*)")
_WORDNET_LINE: Final = re.compile(r"n\d{8}\s+(\S.*)")  # `n01440764 tench, Tinca tinca`, as ImageNet's lists
_LABEL_MAP: Final = re.compile(r"\s*(#.*\n\s*)*item\s*(:\s*)?\{")
_POINTER: Final = "version https://git-lfs.github.com/"
_GZIP: Final = b"\x1f\x8b"
_YAML_KEY: Final = re.compile(r"[\w-]+:")
_ENCODINGS: Final = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}

LARGEST_FILE: Final = 4 * 1024 * 1024  # bytes

_LARGEST_LABEL_MAP: Final = 512 * 1024
"""Characters of a label map, whose parser is slow."""

_MOST_FIELDS: Final = 50_000  # of a label map
_LONGEST_LINE: Final = 2000
"""Characters of a label map's line: the time for one grows with its square."""


def parse(data: bytes, file: str = "") -> Labels:
    """Return the labels in the content of a file; the file's name tells CSV from other texts.

    Raises ValueError, in one line, for anything that is not a list of labels, or ambiguous.
    """
    if len(data) > LARGEST_FILE:
        raise ValueError(f"expected at most {LARGEST_FILE >> 20} MiB, found {len(data)} bytes")
    try:
        return to_labels(_entries(_decode(data), file))
    except RecursionError:
        raise ValueError(f"expected {FORMS}, found something that is nested too deeply") from None


def _entries(text: str, file: str) -> list[Entry]:
    begin = text.lstrip()[:1]
    if begin in ("", "<", '"') and not (begin == '"' and is_csv(file)):
        raise ValueError(f"expected {FORMS}, found {text[:20]!r}")
    if text.startswith(_POINTER):
        raise ValueError("expected labels, found a pointer of Git LFS: fetch the file with git lfs pull")
    if begin in ("[", "{"):
        return from_json(text)
    if is_csv(file) or reads_as_csv(text):
        return from_csv(text)
    if _LABEL_MAP.match(text):
        return _from_label_map(text)
    return _from_lines(text)


def _decode(data: bytes) -> str:
    if data.startswith(_GZIP):
        raise ValueError("expected labels, found a file that is packed with gzip: unpack it with gunzip")
    encoding = _ENCODINGS.get(data[:2]) or _ENCODINGS.get(data[:3]) or "utf-8"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        found = data[error.start : error.start + 4]
        raise ValueError(
            f"expected UTF-8, found {found!r} at {error.start}; save the file as UTF-8"
        ) from None


def _from_label_map(text: str) -> list[Entry]:
    check(len(text), _LARGEST_LABEL_MAP, "characters of a label map")
    check(sum(map(text.count, ":{,")), _MOST_FIELDS, "fields of a label map")
    check(max(map(len, text.split("\n"))), _LONGEST_LINE, "characters in a line of a label map")
    # Imported here, because they take memory that only this format needs.
    from google.protobuf import text_format  # noqa: PLC0415

    from consumer.labels.label_map_pb2 import StringIntLabelMap  # noqa: PLC0415

    try:
        items = text_format.Parse(text, StringIntLabelMap(), allow_unknown_field=True).item
    except text_format.ParseError as error:
        line, column = error.GetLine() or 1, error.GetColumn() or 1
        found = text.split("\n")[line - 1][column - 1 :].strip()
        raise ValueError(
            "expected a label map (pbtxt) with items such as item { id: 1 name: 'cat' },"
            f" found {found[:20]!r} at line {line}, column {column}"
        ) from None
    return [(item.id if item.HasField("id") else None, item.display_name or item.name) for item in items]


def _from_lines(text: str) -> list[Entry]:
    text = text.rstrip()
    check(text.count("\n") + 1, MOST_LABELS, "labels")
    lines = [line.strip() for line in text.split("\n")]
    if "" in lines:
        raise ValueError(f"expected a label on each line, found none on line {lines.index('') + 1}")
    if key := next(filter(_YAML_KEY.fullmatch, lines), None):
        raise ValueError(f"expected {FORMS}, found YAML: {key[:20]!r}")
    labels = _without_ids(lines)
    return _numbered(labels) or [(None, label) for label in labels]


def _numbered(lines: Sequence[str]) -> list[Entry]:
    """Return the entries of lines such as `0 person`, `1: person`; nothing if these are not numbers.

    They count from 0 or 1 upwards, and leave different labels; `1 euro` and `2 euro` are labels. The caller
    reports a number that comes twice.
    """
    found = [match for line in lines if (match := _NUMBERED_LINE.fullmatch(line))]
    if len(found) != len(lines):
        return []
    entries = [(class_number(match[1]), match[2]) for match in found]
    numbers = [number for number, _ in entries]
    rising = all(later >= earlier for earlier, later in pairwise(numbers))
    labels = {label for _, label in entries}
    return list[Entry](entries) if rising and numbers[0] <= 1 and len(labels) > len(entries) / 2 else []


def _without_ids(lines: Iterable[str]) -> list[str]:
    found = [(line, _WORDNET_LINE.fullmatch(line)) for line in lines]
    return (
        [match[1] for _, match in found if match]
        if all(match for _, match in found)
        else [line for line, _ in found]
    )
