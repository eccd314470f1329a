"""Copies a SavedModel that anyone may have written."""

import os
from pathlib import Path

from training.code.checking import take


def copy(source: Path, target: Path, most: int) -> None:
    """Copy the ordinary files in a folder, up to `most` bytes each.

    Raises OSError if that is not possible, and CodeError for what is not an ordinary file.
    """
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                (target / entry.name).mkdir()
                copy(Path(entry.path), target / entry.name, most)
            else:
                take(Path(entry.path), target / entry.name, most)
