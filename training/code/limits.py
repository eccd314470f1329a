"""What a restricted process may use."""

import os
from dataclasses import dataclass
from typing import Final

MIB: Final = 1024 * 1024
GIB: Final = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, sizes in bytes. `time` begins once the framework has started, within `start`."""

    start: float = 180
    time: float | None = 60  # None: any
    memory: int = 4 * GIB
    folder: int = 2 * GIB  # all files that the process wrote
    open_files: int = 256
    threads: int = 500
    output: int = 8 * MIB  # what it prints
    entries: int = 10_000  # files and folders it wrote
    cpu_time: int | None = None  # of all its threads; None: enough for `start` and `time` on all processors


def of_training(memory: int, folder: int) -> Limits:
    """Return what a process may use that trains: any time, `memory` bytes, 0 for all there is.

    It may write `folder` bytes.
    """
    return Limits(
        start=600,
        time=None,
        memory=memory or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        folder=folder,
        open_files=1024,
        threads=2000,
        output=GIB,
    )


def size(count: int) -> str:
    """Return a number of bytes in words, such as `4 GiB`."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (1024, "KiB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count} bytes"
