"""A flight recorder: what the threads of a service are working on, in a file that a crash leaves behind.

A process that is killed, perhaps because it takes too much memory, cannot say why. So each thread notes what
it begins in a file that is mapped into memory, which takes less than a microsecond. The file is removed when
the service stops; one that is still there at the next start says what was going on.

The file holds 32 places of 1024 bytes, one for each thread: `+decode TAB 82000000 TAB door LF`, with a `-`
in place of the `+` once that is done.
"""

import errno
import fcntl
import hashlib
import itertools
import logging
import mmap
import os
import re
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from pipeline.service import state
from pipeline.wire.frame import is_name

log = logging.getLogger(__name__)

_PLACES: Final = 32
_SIZE: Final = 1024  # bytes of a place
_BUSY, _DONE = "+", "-"
_OVER: Final = ord(_DONE)
_MOST_ALIKE: Final = 100  # processes of the same name that run at a time
_SHOWN: Final = 3
_numbers = itertools.count()
_memory: mmap.mmap | bytearray = bytearray(_PLACES * _SIZE)


class _Thread(threading.local):
    """Where the current thread writes. If there are too many, two of them share a place."""

    def __init__(self) -> None:
        self.at = next(_numbers) % _PLACES * _SIZE
        self.camera = ""


_thread = _Thread()


class working:  # noqa: N801 # reads as a statement
    """Notes, for as long as the block takes, which step is done with a picture of `size` bytes.

    The camera may be left out if the process has only one, or if the thread has only one (`works_for`).
    """

    __slots__ = ("_at",)

    def __init__(self, step: str, size: int, camera: str = "") -> None:
        line = f"{_BUSY}{step}\t{size}\t{camera or _thread.camera}\n".encode(errors="replace")[:_SIZE]
        self._at = at = _thread.at
        _memory[at : at + len(line)] = line

    def __enter__(self) -> None:
        """Begin the block; the note is written already."""

    def __exit__(self, *_: object) -> None:
        _memory[self._at] = _OVER


def works_for(camera: str) -> None:
    """Let the notes of this thread name a camera."""
    _thread.camera = camera


class Recorder:
    """Keeps the notes of this process in a file of a folder, and logs those that the last one has left.

    The file is that of a service, or of a service's only camera. Several such processes do not share it, as
    each locks its own. If the folder cannot be used, that is logged, and the notes are kept in memory only.
    """

    def __init__(self, folder: Path, service: str, camera: str = "") -> None:
        global _memory  # noqa: PLW0603
        self.last: str | None = None
        """How the last run ended if it did not stop, in one line."""
        self._path: Path | None = None
        try:
            state.prepare(folder)
            self._path, self._file = _locked(folder, f"{service} {camera}".rstrip())
            self.last = _told(os.read(self._file, _PLACES * _SIZE), camera)
            os.ftruncate(self._file, 0)
            os.ftruncate(self._file, _PLACES * _SIZE)
            _memory = mmap.mmap(self._file, _PLACES * _SIZE)
        except OSError as error:
            log.warning(
                "STATEFOLDER='%s' cannot be used (%s): what causes a crash will not be known; set it to a"
                " folder that this user may write to",
                folder,
                error.strerror,
            )
        if self.last:
            log.warning("%s", self.last)

    def close(self) -> None:
        """Remove the file: this process stops as it should."""
        global _memory  # noqa: PLW0603
        _memory = bytearray(_PLACES * _SIZE)  # a thread that is late must not fail
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink()
            os.close(self._file)


def _locked(folder: Path, name: str) -> tuple[Path, int]:
    """Open the first file of this name that no other process uses; raise OSError if there is none."""
    plain = re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII)[:60]
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    for number in range(_MOST_ALIKE):
        path = folder / f"{plain}-{digest}-{number}"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
        else:
            return path, file
    raise OSError(errno.EBUSY, f"{_MOST_ALIKE} processes use it already")


def _told(content: bytes, only_camera: str) -> str | None:
    """Return what the notes of a run say, unless it had not begun to work."""
    notes = []
    for at in range(0, len(content), _SIZE):
        line = content[at : at + _SIZE].partition(b"\n")[0].decode(errors="replace")
        found = re.fullmatch(r"([+-])(\w+)\t(\d{1,18})\t(.*)", line, re.ASCII)
        if found and (not found[4] or is_name(found[4])):
            notes.append((found[1] == _BUSY, int(found[3]), found[2], found[4] or only_camera))
    if not notes:
        return None
    said = [
        f"a picture of {_bytes(size)} of camera {camera} ({step})"
        for is_busy, size, step, camera in sorted(notes, reverse=True)
        if is_busy
    ]
    if not said:
        return "the last run was killed or crashed, but not while working on a picture"
    return f"the last run was killed or crashed while working on {' and '.join(said[:_SHOWN])}"


def _bytes(size: int) -> str:
    return (
        f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB" if size >= 1e3 else f"{size} bytes"
    )
