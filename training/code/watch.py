"""What a process uses right now. Linux; elsewhere nothing is known, and the kernel's limits remain."""

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BLOCK: Final = 512  # bytes, of st_blocks


@dataclass(frozen=True, slots=True)
class Usage:
    """Memory in bytes that is not that of mapped files, and the number of threads."""

    memory: int
    threads: int


def usage(process: int) -> Usage:
    """Return what a process uses; nothing if it ended."""
    fields = dict[str, int]()
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in ("RssAnon", "RssShmem", "VmSwap", "Threads"):
                fields[name] = int(value.split()[0])
    threads = fields.pop("Threads", 0)
    return Usage(1024 * sum(fields.values()), threads)


def folder_size(folder: Path, entries: int) -> tuple[int, int]:
    """Return the size of a folder's files in bytes and their number; the count stops beyond `entries`."""
    size, count = 0, 0
    folders = [str(folder)]
    while folders and count <= entries:
        path = folders.pop()
        try:
            with os.scandir(path) as found:
                for entry in found:
                    count += 1
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        with suppress(FileNotFoundError):
                            size += entry.stat(follow_symlinks=False).st_blocks * _BLOCK
                    if count > entries:
                        break
        except FileNotFoundError:  # removed meanwhile
            continue
        except PermissionError:  # made without the right to read it
            _make_readable(path, folders)
        except OSError:  # so deep that its name is too long
            return size, entries + 1
    return size, count


def deleted_size(process: int) -> int:
    """Return the size in bytes of the files that a process has deleted and still uses."""
    size = 0
    with suppress(OSError), os.scandir(f"/proc/{process}/fd") as entries:
        for entry in entries:
            with suppress(OSError):
                state = entry.stat()
                if stat.S_ISREG(state.st_mode) and state.st_nlink == 0:
                    size += state.st_blocks * _BLOCK
    return size


def _make_readable(path: str, folders: list[str]) -> None:
    with suppress(OSError):
        Path(path).chmod(0o700)
        folders.append(path)
