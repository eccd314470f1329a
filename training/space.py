"""The room on the disk."""

import shutil
from pathlib import Path
from typing import Final

_NEEDED: Final = 64 * 2**20  # bytes that must be free before a training starts


def why_full(folder: Path) -> str | None:
    """Return in one line that a folder, which need not exist, has no room for a model, or None."""
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        free = shutil.disk_usage(nearest).free
    except OSError as error:
        return f"{folder} cannot be used: {error.strerror}"
    if free >= _NEEDED:
        return None
    return f"the disk of {folder} is full: free at least {_NEEDED >> 20} MB, {free >> 20} are left"
