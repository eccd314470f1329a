"""The folder in which processes keep what outlives them: `STATEFOLDER`."""

import errno
import os
from pathlib import Path


def default() -> Path:
    """Return a folder of this user among the temporary files."""
    # Not `tempfile.gettempdir()`, which fails where nothing can be written.
    return Path(os.environ.get("TMPDIR") or "/tmp", f"streamlens-{os.getuid()}")  # noqa: S108


def expanded(folder: Path) -> Path:
    """Return a folder with its `~` replaced, which only shells do; raise ValueError if that is no home."""
    try:
        return folder.expanduser()
    except RuntimeError:
        raise ValueError("expected a folder: the home of this user is unknown, so write its path") from None


def prepare(folder: Path) -> None:
    """Make the folder unless it exists; raise OSError if it cannot be used."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, "it is not a folder") from None
    except NotADirectoryError:
        raise NotADirectoryError(errno.ENOTDIR, "a part of its path is not a folder") from None
    # Among the temporary files, anybody may have left a link by this name, to any folder.
    if not {folder.stat().st_uid, folder.lstat().st_uid} <= {0, os.getuid()}:
        raise OSError(errno.EPERM, "it belongs to another user")
