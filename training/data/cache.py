"""Arrays in memory, or beyond a limit in a file that is mapped to memory."""

import math
import mmap
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from training.data.errors import DataError

_SMALL: Final = 1024 * 1024  # bytes

Form = tuple[tuple[int, ...], np.dtype[Any]]
"""The shape and the type of an array."""


def size(forms: Sequence[Form]) -> int:
    """Return the bytes of arrays together."""
    return sum(math.prod(shape) * kind.itemsize for shape, kind in forms)


def arrays(forms: Sequence[Form], memory: int, folder: Path | None = None) -> list[NDArray[Any]]:
    """Return new arrays: in memory if they take at most `memory` bytes together, otherwise in files.

    Those of Python's objects are always in memory. The files are in `folder`, or where the system keeps
    temporary ones. They have no name, so that they are gone with the arrays, or with the process. Raises
    `DataError` if there is no room for them.
    """
    if size(forms) <= memory:
        return [_in_memory(form) for form in forms]
    place = folder or Path(tempfile.gettempdir())
    needed = size([form for form in forms if _can_be_mapped(form)])
    try:
        free = shutil.disk_usage(place).free
        if needed > free:
            raise DataError(
                f"the data take {needed / 1e6:,.0f} MB, more than CACHEMEMORY, and {place} has room for"
                f" {free / 1e6:,.0f} MB: free some, or train on a smaller range"
            )
        return [_mapped(form, place) if _can_be_mapped(form) else _in_memory(form) for form in forms]
    except OSError as error:
        raise DataError(f"the data cannot be kept in {place}: {error.strerror}") from None


def _can_be_mapped(form: Form) -> bool:
    return form[1] != np.dtype(object) and size([form]) > 0


def _in_memory(form: Form) -> NDArray[Any]:
    shape, kind = form
    needed = size([form])
    if needed < _SMALL or kind == np.dtype(object):
        return np.empty(shape, kind)
    # Numpy asks for huge pages, and where memory is fragmented, the kernel takes long to make these. Getting
    # all pages at once is faster than one by one.
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_POPULATE", 0)
    try:
        return np.frombuffer(mmap.mmap(-1, needed, flags=flags), kind).reshape(shape)
    except (OSError, OverflowError):
        raise DataError(f"the data take {needed / 1e6:,.0f} MB, which this machine does not have") from None


def _mapped(form: Form, folder: Path) -> NDArray[Any]:
    shape, kind = form
    with tempfile.TemporaryFile(dir=folder) as file:
        if hasattr(os, "posix_fallocate"):
            # Without room on the disk, writing to mapped memory would end the process.
            os.posix_fallocate(file.fileno(), 0, size([form]))
        else:
            file.truncate(size([form]))
        return np.memmap(file, kind, "r+", shape=shape)
