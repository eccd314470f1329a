"""Files that may change while the server runs."""

from pathlib import Path


def version_of(path: Path) -> tuple[int, int, int] | None:
    """Return what tells one version of a file from the next; None when there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
