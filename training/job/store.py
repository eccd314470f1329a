"""Puts a trained SavedModel into the folder that TensorFlow Serving reads, as the next version."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from training.code.checking import take

_CANDIDATES: Final = "candidates"
_METADATA: Final = Path("assets.extra", "streamlens.json")
_RACES: Final = 1_000  # versions that others may add meanwhile


class Store:
    """The versions of one model: those that are served, and candidates, which no server reads."""

    def __init__(self, folder: Path, model: str) -> None:
        self.folder = folder / folder_name(model)

    def versions(self) -> list[int]:
        """Return the numbers of the versions that are served."""
        return sorted(_numbers(self.folder))

    def add(
        self, exported: Path, metadata: Mapping[str, Any], *, most: int, is_served: bool
    ) -> tuple[int, Path]:
        """Copy a SavedModel into place as a new version; return its number and its folder.

        It appears at once, whole. `exported` may have been written by anyone: only its ordinary files are
        taken, up to `most` bytes each. A version that the same result has added before is replaced. Raises
        OSError if the folder cannot be written, and CodeError for what is not an ordinary file.
        """
        candidates = self.folder / _CANDIDATES
        candidates.mkdir(parents=True, exist_ok=True)
        part = candidates / f".{metadata['result']}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        try:
            served = self.versions()
            _copy(exported, part, most)
            whole = {**metadata, "parent": served[-1] if served else None}
            (part / _METADATA).parent.mkdir(exist_ok=True)
            (part / _METADATA).write_text(json.dumps(whole, indent=1))
            self._remove(metadata["result"])
            return self._place(part, self.folder if is_served else candidates)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _place(self, part: Path, folder: Path) -> tuple[int, Path]:
        """Rename the part to the next number, also if another job does the same at this moment."""
        number = max((*_numbers(self.folder), *_numbers(self.folder / _CANDIDATES)), default=0)
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

    def _remove(self, result: Any) -> None:
        for number in _numbers(self.folder / _CANDIDATES):
            folder = self.folder / _CANDIDATES / str(number)
            if metadata(folder).get("result") == result:
                shutil.rmtree(folder)


def metadata(version: Path) -> dict[str, Any]:
    """Return what is known about a version; nothing if it was not made here."""
    try:
        found = json.loads((version / _METADATA).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def folder_name(model: str) -> str:
    """Return a model's name as the name of a folder: slashes and the like are percent-encoded."""
    text = "".join(quote(each, safe="") if each in '/\\%:*?"<>|' or each < " " else each for each in model)
    return text.replace(".", "%2E", 1) if text.startswith(".") else text


def _numbers(folder: Path) -> Iterator[int]:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return
    yield from (int(name) for name in names if name.isascii() and name.isdecimal())


def _copy(source: Path, target: Path, most: int) -> None:
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                (target / entry.name).mkdir()
                _copy(Path(entry.path), target / entry.name, most)
            else:
                take(Path(entry.path), target / entry.name, most)
