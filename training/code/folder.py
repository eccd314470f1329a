"""The folder of a restricted process, and how it is removed whatever its code made of it."""

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Create a folder that only this user can read, and remove it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="streamlens-code-")).resolve()
    try:
        yield folder
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder that no process uses any more. What cannot be removed is left.

    Folders may be nested so deep that neither the stack nor a path has room for them: each moves up first.
    """
    numbers = itertools.count()
    with suppress(OSError):
        while entries := list(os.scandir(folder)):
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    _flatten(entry.path, folder, numbers)
                else:
                    Path(entry.path).unlink()
        folder.rmdir()


def _flatten(path: str, top: Path, numbers: Iterator[int]) -> None:
    Path(path).chmod(0o700)
    with os.scandir(path) as found:
        for inner in list(found):
            if inner.is_dir(follow_symlinks=False):
                Path(inner.path).chmod(0o700)
            target = top / f".{next(numbers)}"
            while target.exists():
                target = top / f".{next(numbers)}"
            Path(inner.path).rename(target)
    Path(path).rmdir()
