"""What the folder of a run holds: how it was started, its log, and a lock that its process holds."""

import fcntl
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from training.runners.runner import Run

log = logging.getLogger(__name__)

_ABOUT: Final = "run.json"
_SHOWN: Final = 64 * 1024  # bytes of a log
_LOGGED: Final = 16 * 2**20  # bytes of a log, beyond which only its end is kept


@dataclass(frozen=True, slots=True)
class Record:
    """A run's folder. `pid` is that of its process, once there is one; `starts` counts them."""

    folder: Path
    run: Run
    number: int
    pid: int | None = None
    starts: int = 0
    is_stopped: bool = False

    @property
    def work(self) -> Path:
        """The folder for what a run keeps while it is started again and again."""
        return self.folder / "work"

    def changed(self, **fields: Any) -> "Record":
        """Return the record with other fields, written to its folder."""
        record = replace(self, **fields)
        record.write()
        return record

    def write(self) -> None:
        """Write the record, so that it outlives this process; raise OSError if that fails."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = {
            "run": {**asdict(self.run), "variables": dict(self.run.variables)},
            "number": self.number,
            "pid": self.pid,
            "starts": self.starts,
            "is_stopped": self.is_stopped,
        }
        new = self.folder / f"{_ABOUT}.new"
        # Variables may contain passwords.
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(about, file)
        new.replace(self.folder / _ABOUT)

    def open_lock(self) -> int:
        """Return the file whose lock the process holds for as long as it lives, open.

        The lock belongs to whoever inherits the open file. Unlike a process's number, it cannot be another's.
        """
        return os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def is_alive(self) -> bool:
        """Return whether the process, or one that it has started, still runs."""
        if self.pid is None:
            return False
        lock = self.open_lock()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def open_log(self) -> int:
        """Return the log, open to append to it."""
        return os.open(self.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def note(self, text: str) -> None:
        """Append to the log; raise OSError if that fails."""
        output = self.open_log()
        try:
            os.write(output, text.encode())
        finally:
            os.close(output)

    def trim_log(self) -> None:
        """Drop all but the end of a log that has become too long."""
        trim_log(self.folder)

    def finish(self) -> None:
        """Forget the run, but keep its log."""
        (self.folder / _ABOUT).unlink(missing_ok=True)
        shutil.rmtree(self.work, ignore_errors=True)


def trim_log(folder: Path) -> None:
    """Drop all but the end of a log that has become too long."""
    path = folder / "log"
    with suppress(FileNotFoundError):
        if path.stat().st_size > _LOGGED:
            end = read_log(folder)
            # Whoever writes appends, and so goes on at the new end.
            os.truncate(path, 0)
            with path.open("a") as file:
                file.write(f"(the beginning was dropped: the log was longer than {_LOGGED} bytes)\n{end}")


def read_log(folder: Path) -> str:
    """Return the end of a log."""
    try:
        with (folder / "log").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _SHOWN))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def records(folder: Path) -> Iterator[Record]:
    """Yield what runs have left in the folders here."""
    for path in sorted(folder.glob(f"*/{_ABOUT}")):
        try:
            about = json.loads(path.read_bytes())
            yield Record(path.parent, **{**about, "run": Run(**about["run"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.warning("%s cannot be read, so this run is unknown: %s", path, error)


def delete(folder: Path) -> None:
    """Delete the folder of a run."""
    shutil.rmtree(folder, ignore_errors=True)
