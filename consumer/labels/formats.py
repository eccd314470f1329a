"""Reads label files: texts, JSON, CSV, and the label maps of TensorFlow's object detection."""

import csv
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from io import StringIO
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any, Final, TypeVar

from consumer.labels.labels import Labels
from pipeline.wire.text import readable

_FORMS: Final = (
    "a JSON list or object, a text with one label per line, CSV in a file *.csv, or a label map (pbtxt)"
)

# Without spaces and underscores.
_NUMBER_COLUMNS: Final = ("id", "classid", "index", "number", "class", "labelid")
_NAME_COLUMNS: Final = ("displayname", "name", "label", "classname", "title", "description", "class")
_LIST_MEMBERS: Final = ("categories", "labels", "names", "classes", "id2label", "label2id")
_NAME_MEMBERS: Final = ("display_name", "name", "label", "title")

_NUMBERED_LINE: Final = re.compile(r"\s*(\d{1,6})\s*[:;,=\t ]\s*(\S.*)")
_WORDNET_LINE: Final = re.compile(r"n\d{8}\s+(\S.*)")  # `n01440764 tench, Tinca tinca`, as ImageNet's lists
_LABEL_MAP: Final = re.compile(r"\s*(#.*\n\s*)*item\s*(:\s*)?\{")
_FREEBASE_LINE: Final = re.compile(r"/[gmt]/\w+,")  # `/m/011k07,Tortoise`, as Open Images' lists
_POINTER: Final = "version https://git-lfs.github.com/"
_GZIP: Final = b"\x1f\x8b"
_YAML_KEY: Final = re.compile(r"[\w-]+:")
_ENCODINGS: Final = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}

LARGEST_FILE: Final = 4 * 1024 * 1024  # bytes
MOST_LABELS: Final = 100_000
LONGEST_LABEL: Final = 200  # characters

_MOST_VALUES: Final = 4 * MOST_LABELS
"""Values of a JSON file or cells of a table: a label may have several."""

_LARGEST_LABEL_MAP: Final = 512 * 1024
"""Bytes of a label map, whose parser is slow."""

_MOST_FIELDS: Final = 50_000  # of a label map
_LONGEST_LINE: Final = 2000
"""Characters of a label map's line: the time for one grows with its square."""

_DIGITS: Final = 20  # of a number, at most

_Item = TypeVar("_Item")

Entry = tuple[int | None, str]
"""A class number, if the file states it, and the label."""


def parse(data: bytes, file: str = "") -> Labels:
    """Return the labels in the content of a file; the file's name tells CSV from other texts.

    Raises ValueError, in one line, for anything that is not a list of labels, or ambiguous.
    """
    if len(data) > LARGEST_FILE:
        raise ValueError(f"expected at most {LARGEST_FILE >> 20} MiB, found {len(data)} bytes")
    try:
        return _labels(_entries(_decode(data), file))
    except RecursionError:
        raise ValueError(f"expected {_FORMS}, found something that is nested too deeply") from None


def _entries(text: str, file: str) -> list[Entry]:
    begin = text.lstrip()[:1]
    if begin in ("", "<", '"') and not (begin == '"' and _is_csv(file)):
        raise ValueError(f"expected {_FORMS}, found {text[:20]!r}")
    if text.startswith(_POINTER):
        raise ValueError("expected labels, found a pointer of Git LFS: fetch the file with git lfs pull")
    if begin in ("[", "{"):
        return _from_json(text)
    if _is_csv(file) or _reads_as_csv(text):
        return _from_csv(text)
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


def _is_csv(file: str) -> bool:
    return PurePosixPath(file).suffix.lower() in (".csv", ".tsv")


def _reads_as_csv(text: str) -> bool:
    """Return whether a text has a header with a number and a name, or Open Images' lines."""
    first = text.partition("\n")[0]
    cells = {_column(cell) for cell in re.split("[,;\t]", first)}
    is_header = len(cells) > 1 and cells <= {*_NUMBER_COLUMNS, *_NAME_COLUMNS}
    return is_header or bool(_FREEBASE_LINE.match(first))


def _column(cell: str) -> str:
    """Return the name of a column as the lists above have it: `Class ID` and `class_id` are `classid`."""
    return re.sub(r"[\s_-]", "", cell).casefold()


def _labels(entries: Sequence[Entry]) -> Labels:
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
        if not readable(label):
            raise ValueError(f"expected a text as label {index}, found {label[:20]!r}")
    entries = [(number, readable(label)) for number, label in entries]
    numbers = [number for number, _ in entries if number is not None]
    if not numbers:
        return Labels(tuple(label for _, label in entries))
    if len(numbers) != len(entries):
        raise ValueError("expected a number for every label, found labels without one")
    if len(set(numbers)) != len(numbers):
        raise ValueError(f"expected one label for each number, found several for {_twice(numbers)}")
    if min(numbers) < 0:
        raise ValueError(f"expected numbers from 0, found {min(numbers)}")
    ordered = sorted(zip(numbers, (label for _, label in entries), strict=True))
    return Labels(tuple(label for _, label in ordered), tuple(number for number, _ in ordered))


def _check(count: int, most: int, what: str) -> None:
    """Raise ValueError if a file has too many parts, before it is parsed: that takes memory and time."""
    if count > most:
        raise ValueError(f"expected at most {most} {what}, found {count}")


def _number(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(f"expected the number of a class, found one of {len(text)} digits")
    return int(text)


def _from_json(text: str) -> list[Entry]:
    _check(text.count("[") + text.count("{"), 2 * MOST_LABELS, "lists and objects")
    _check(text.count(",") + 1, _MOST_VALUES, "values")
    try:
        content = json.loads(text, object_pairs_hook=_without_duplicates, parse_int=_number)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"expected {_FORMS}, found invalid JSON: {error}") from None
    if isinstance(content, dict) and (inner := [name for name in _LIST_MEMBERS if _is_list(content, name)]):
        content = content[inner[0]]
    if isinstance(content, list):
        return [_from_item(index, item) for index, item in enumerate(content)]
    return _from_object(content)


def _is_list(content: dict[str, Any], name: str) -> bool:
    return isinstance(content.get(name), list | dict)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        twice = _twice(name for name, _ in pairs)
        raise ValueError(f"expected each key once, found {twice[:40]!r} several times")
    return fields


def _twice(items: Iterable[_Item]) -> _Item:
    """Return the first item that comes more than once."""
    return next(item for item, count in Counter(items).items() if count > 1)


def _from_item(index: int, item: Any) -> Entry:
    """Return a label of a JSON list: a string, or an object such as COCO's `{"id": 1, "name": "person"}`."""
    if isinstance(item, dict):
        name = next((item[key] for key in _NAME_MEMBERS if isinstance(item.get(key), str)), None)
        if name is not None:
            number = item.get("id", item.get("index"))
            return (number if isinstance(number, int) else None), name
    if not isinstance(item, str):
        raise ValueError(f"expected a string as label {index}, found {json.dumps(item)[:40]}")
    return None, item


def _from_object(content: dict[str, Any]) -> list[Entry]:
    """Return the labels of a JSON object from number to label, or from label to number."""
    if all(re.fullmatch(r"\d{1,6}", key) for key in content):
        return [(int(key), _label(key, value)) for key, value in content.items()]
    for key, value in content.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(
                "expected an object from number to label, or from label to number,"
                f" found {json.dumps({key: value}, ensure_ascii=False)[:60]}"
            )
    return [(value, key) for key, value in content.items()]


def _label(key: str, value: Any) -> str:
    """Return the label in a JSON object's member; Keras' list for ImageNet has `["n01440764", "tench"]`."""
    match value:
        case str():
            return value
        case [str(), str(label)]:
            return label
    raise ValueError(f"expected a string as label {key}, found {json.dumps(value)[:40]}")


def _from_csv(text: str) -> list[Entry]:
    """Return the labels of a table: of its columns for number and name, or of the last with texts."""
    separator = max(",;\t", key=text.partition("\n")[0].count)
    _check(max(text.count("\n"), text.count("\r")), MOST_LABELS + 1, "labels")
    _check(text.count(separator), _MOST_VALUES, "cells")
    try:
        table = list(csv.reader(StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise ValueError(f"expected CSV: {error}") from None
    rows = [[cell.strip() for cell in row] for row in table]
    rows = [row for row in rows if any(row)]
    if not rows:
        raise ValueError("expected at least one label")
    head = [_column(cell) for cell in rows[0]]
    names = [head.index(name) for name in _NAME_COLUMNS if name in head]
    if names:
        rows = rows[1:]
    if not rows:
        raise ValueError("expected at least one label")
    width = len(head)
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise ValueError(f"expected {width} columns, found {len(row)} in row {number}: {row[:3]}")
    integers = [i for i in range(width) if all(row[i].isdecimal() for row in rows)]
    texts = sorted({*range(width)} - {*integers})
    if width == 1:
        return [(None, row[0]) for row in rows]
    named = [i for i in names if i in texts] or texts[-1:]
    if not named:
        raise ValueError(f"expected a column with the labels, found only numbers: {rows[0][:3]}")
    numbered = [head.index(name) for name in _NUMBER_COLUMNS if name in head and head.index(name) in integers]
    if not names:
        numbered = integers
    return [(_number(row[numbered[0]]) if numbered else None, row[named[0]]) for row in rows]


def _from_label_map(text: str) -> list[Entry]:
    _check(len(text), _LARGEST_LABEL_MAP, "characters of a label map")
    _check(sum(map(text.count, ":{,")), _MOST_FIELDS, "fields of a label map")
    _check(max(map(len, text.split("\n"))), _LONGEST_LINE, "characters in a line of a label map")
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
    _check(text.count("\n") + 1, MOST_LABELS, "labels")
    lines = [line.strip() for line in text.split("\n")]
    if "" in lines:
        raise ValueError(f"expected a label on each line, found none on line {lines.index('') + 1}")
    if key := next(filter(_YAML_KEY.fullmatch, lines), None):
        raise ValueError(f"expected {_FORMS}, found YAML: {key[:20]!r}")
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
    entries = [(_number(match[1]), match[2]) for match in found]
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
