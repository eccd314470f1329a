"""Labels in a table: CSV, with commas, semicolons or tabs."""

import csv
import re
from io import StringIO
from pathlib import PurePosixPath
from typing import Final

from consumer.labels.entries import MOST_LABELS, MOST_VALUES, Entry, check, class_number

# Without spaces and underscores.
_NUMBER_COLUMNS: Final = ("id", "classid", "index", "number", "class", "labelid")
_NAME_COLUMNS: Final = ("displayname", "name", "label", "classname", "title", "description", "class")

_FREEBASE_LINE: Final = re.compile(r"/[gmt]/\w+,")  # `/m/011k07,Tortoise`, as Open Images' lists


def is_csv(file: str) -> bool:
    """Return whether a file is a table by its name."""
    return PurePosixPath(file).suffix.lower() in (".csv", ".tsv")


def reads_as_csv(text: str) -> bool:
    """Return whether a text has a header with a number and a name, or Open Images' lines."""
    first = text.partition("\n")[0]
    cells = {_column(cell) for cell in re.split("[,;\t]", first)}
    is_header = len(cells) > 1 and cells <= {*_NUMBER_COLUMNS, *_NAME_COLUMNS}
    return is_header or bool(_FREEBASE_LINE.match(first))


def _column(cell: str) -> str:
    """Return the name of a column as the lists above have it: `Class ID` and `class_id` are `classid`."""
    return re.sub(r"[\s_-]", "", cell).casefold()


def from_csv(text: str) -> list[Entry]:
    """Return the labels of a table: of its columns for number and name, or of the last with texts."""
    separator = max(",;\t", key=text.partition("\n")[0].count)
    check(max(text.count("\n"), text.count("\r")), MOST_LABELS + 1, "labels")
    check(text.count(separator), MOST_VALUES, "cells")
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
    return [(class_number(row[numbered[0]]) if numbered else None, row[named[0]]) for row in rows]
