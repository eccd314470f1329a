"""A Kafka-ML's database, which is only read. Columns that older versions lack may be missing."""

import json
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from training.database.moment import in_utc

Row = dict[str, Any]
"""The columns of a row, by name."""

_PREFIX: Final = "automl_"
_JSON: Final = ("train_metrics", "val_metrics", "test_metrics", "confusion_matrix", "data_restriction")
_TIMES: Final = ("time", "status_changed")
_FLAGS: Final = (
    "distributed",
    "conf_mat_settings",
    "incremental",
    "indefinite",
    "unsupervised",
    "federated",
    "blockchain",
)


class SourceError(Exception):
    """The file is not the database of a Kafka-ML: why, in one line."""


class Source:
    """The rows of a Kafka-ML, and the folders with its files."""

    def __init__(self, connection: sqlite3.Connection, folders: tuple[Path, ...]) -> None:
        self._connection = connection
        self._folders = folders
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        self._tables = {name for (name,) in names}

    def rows(self, table: str) -> Iterator[Row]:
        """Yield the rows of a table such as `mlmodel`, in the order of their ids; none if it is missing."""
        name = f"{_PREFIX}{table}"
        if name in self._tables:
            for row in self._connection.execute(f'SELECT * FROM "{name}" ORDER BY id'):  # noqa: S608
                yield {column: _value(column, row[column]) for column in row.keys()}  # noqa: SIM118

    def file(self, name: object) -> Path | None:
        """Return where a file is that a row names, or None."""
        if not isinstance(name, str) or not name or "\0" in name:
            return None
        parts = Path(name).parts
        for folder in self._folders:
            for path in (folder / name, folder / "media" / name, folder / parts[-1]):
                # The name comes from a database that anyone may have written.
                if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                    return path
        return None


@contextmanager
def opened(path: Path, folders: tuple[Path, ...]) -> Iterator[Source]:
    """Open a database; raise SourceError if it is not one of a Kafka-ML, or a folder is missing."""
    _check(path, "a file: Kafka-ML's db.sqlite3", stat.S_ISREG)
    for folder in folders:
        _check(folder, "the folder with the trained models", stat.S_ISDIR)
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            source = Source(connection, folders)
            if f"{_PREFIX}mlmodel" not in source._tables:
                raise SourceError(f"{path}: no table {_PREFIX}mlmodel: expected a Kafka-ML's db.sqlite3")
            yield source
    except sqlite3.DatabaseError as error:
        raise SourceError(f"{path}: it cannot be read as SQLite: {error}") from None


def _check(path: Path, expected: str, is_right: Callable[[int], bool]) -> None:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
        why = getattr(error, "strerror", None) or error
        raise SourceError(f"{path}: {why}: expected {expected}") from None
    if not is_right(mode):
        kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISREG, "a file"))
        found = next((name for is_kind, name in kinds if is_kind(mode)), "neither a file nor a folder")
        raise SourceError(f"{path}: this is {found}: expected {expected}")


def _value(column: str, value: Any) -> Any:
    if column in _JSON and isinstance(value, str):
        with suppress(ValueError, RecursionError):
            return json.loads(value)
    if column in _TIMES and isinstance(value, str):
        with suppress(ValueError):
            return in_utc(datetime.fromisoformat(value))
    if column in _FLAGS and value is not None:
        return bool(value)
    return value
