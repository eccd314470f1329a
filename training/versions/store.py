"""The versions of one model, in the folder that TensorFlow Serving reads."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from training.versions.names import folder_name

_CANDIDATES: Final = "candidates"
_METADATA: Final = Path("assets.extra", "streamlens.json")
_RACES: Final = 1_000  # versions that others may add meanwhile
_LEFT_BEHIND: Final = 24 * 3600.0  # s after which half a version has no writer any more

Fill = Callable[[Path], Mapping[str, Any]]
"""Writes the files of a version into an empty folder, and returns what is known about them."""


class VersionError(ValueError):
    """A version cannot be changed: why, in one line."""


class Store:
    """Served versions, of which servers serve the newest, and candidates, which no server reads."""

    def __init__(self, folder: Path, model: str) -> None:
        self.model = model
        self.folder = folder / folder_name(model)
        self._candidates = self.folder / _CANDIDATES

    def versions(self) -> list[int]:
        """Return the numbers of the served versions."""
        return sorted(_numbers(self.folder))

    def candidates(self) -> list[int]:
        """Return the numbers of the candidates."""
        return sorted(_numbers(self._candidates))

    def place(self, version: int) -> Path | None:
        """Return the folder of a version, served or not; None if there is no such version."""
        for folder in (self.folder, self._candidates):
            if version in _numbers(folder):
                return folder / str(version)
        return None

    def add(self, fill: Fill, facts: Mapping[str, Any], *, is_served: bool) -> tuple[int, Path]:
        """Add a version with the files that `fill` writes; return its number and its folder.

        It appears at once, whole. `facts` are its metadata; `result` is required. A candidate that the same
        result has added before is replaced. Raises OSError if the folder cannot be written, and what `fill`
        raises.
        """
        self._candidates.mkdir(parents=True, exist_ok=True)
        part = self._candidates / f".{facts['result']}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        try:
            found = fill(part)
            served = self.versions()
            _note(part, {**found, **facts, "parent": served[-1] if served else None})
            self._replace(facts["result"])
            return self._number(part, self.folder if is_served else self._candidates)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def insert(self, version: int, fill: Callable[[Path], object]) -> None:
        """Add a served version that has its number already, from another store.

        It appears at once, whole. Raises OSError if that is not possible, and what `fill` raises.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f".{version}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        try:
            fill(part)
            part.rename(self.folder / str(version))
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def promote(self, version: int) -> int:
        """Make a version the newest that is served; return its number.

        It gets a new number unless it is newer than all that are served. Raises VersionError if there is no
        such version, or it is the newest already, and OSError if the folder cannot be written.
        """
        place, served = self._found(version), self.versions()
        newest = served[-1] if served else 0
        if version == newest:
            raise VersionError(f"version {version} of {self.model} is the one that is served")
        if facts := metadata(place):
            now = datetime.now(UTC).isoformat(timespec="seconds")
            _note(place, {**facts, "parent": newest or None, "promoted": now})
        if version > newest:
            place.rename(self.folder / str(version))
            return version
        return self._number(place, self.folder)[0]

    def remove(self, version: int) -> None:
        """Delete a candidate or an old version. Raises VersionError for the served one, and OSError."""
        place = self._found(version)
        if version in self.versions()[-1:]:
            raise VersionError(
                f"version {version} of {self.model} is the one that is served: promote another one first"
            )
        _delete(place)

    def clean(self, keep: int) -> list[int]:
        """Delete all but the newest `keep` (1 or more) served versions, and as many candidates.

        Only versions that were made here are deleted. Returns their numbers. Raises OSError.
        """
        removed = []
        for folder in (self.folder, self._candidates):
            for number in sorted(_numbers(folder))[:-keep]:
                if metadata(folder / str(number)):
                    _delete(folder / str(number))
                    removed.append(number)
            _sweep(folder)
        return removed

    def _found(self, version: int) -> Path:
        place = self.place(version)
        if place is None:
            raise VersionError(f"there is no version {version} of {self.model}")
        return place

    def _number(self, part: Path, folder: Path) -> tuple[int, Path]:
        """Rename a folder to the next number, also if another job does the same at this moment."""
        number = max((*_numbers(self.folder), *_numbers(self._candidates)), default=0)
        for version in range(number + 1, number + _RACES):
            try:
                # Fails if there is such a folder, as it has files.
                part.rename(folder / str(version))
            except OSError:
                if not (folder / str(version)).exists():
                    raise
                continue
            return version, folder / str(version)
        raise OSError(f"{folder}: no free number for a version")

    def _replace(self, result: Any) -> None:
        for number in _numbers(self._candidates):
            if metadata(self._candidates / str(number)).get("result") == result:
                _delete(self._candidates / str(number))


def metadata(version: Path) -> dict[str, Any]:
    """Return what is known about a version; nothing if it was not made here."""
    try:
        found = json.loads((version / _METADATA).read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _note(version: Path, facts: Mapping[str, Any]) -> None:
    file = version / _METADATA
    file.parent.mkdir(exist_ok=True)
    new = file.with_suffix(".new")
    new.write_text(json.dumps(dict(facts), indent=1))
    new.replace(file)


def _numbers(folder: Path) -> Iterator[int]:
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    yield from (int(name) for name in names if name.isascii() and name.isdecimal() and str(int(name)) == name)


def _delete(version: Path) -> None:
    """Delete a version, which vanishes at once."""
    gone = version.with_name(f".{version.name}.gone")
    shutil.rmtree(gone, ignore_errors=True)
    version.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Delete what processes that were killed have left behind."""
    oldest = time.time() - _LEFT_BEHIND
    for path in folder.glob(".*"):
        if path.suffix in (".part", ".gone"):
            with suppress(OSError):
                if path.stat().st_mtime < oldest:
                    shutil.rmtree(path)
