"""The command line of this process as `ps` shows it, without the passwords in its links. Linux only."""

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pipeline.service.masking import mask

# Fields of /proc/self/stat after the name, see proc_pid_stat(5).
_BEGIN, _END = 48 - 3, 49 - 3
_FREE: Final = b"\0"


def mask_arguments() -> None:
    """Overwrite the passwords in this process's command line, which every user of the machine can read."""
    if sys.platform != "linux":
        return
    fields = Path("/proc/self/stat").read_text().rpartition(") ")[2].split()
    begin, end = int(fields[_BEGIN]), int(fields[_END])
    given = Path("/proc/self/cmdline").read_bytes()
    shown = masked(given.split(_FREE))
    if begin and shown != given:
        # The last byte must stay a zero: otherwise the kernel would read on.
        ctypes.memmove(begin, shown[: end - begin - 1].ljust(end - begin, _FREE), end - begin)


def masked(arguments: Sequence[bytes]) -> bytes:
    """Return a command line as the kernel keeps it, with the links masked."""
    program, *rest = arguments
    return _FREE.join((program, *(os.fsencode(mask(os.fsdecode(each))) for each in rest)))
