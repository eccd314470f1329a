"""Arrays in memory, or beyond a limit in a file that is mapped to memory."""

import math
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from training.data.errors import DataError

Form = tuple[tuple[int, ...], DTypeLike]
"""The shape and the type of an array."""


def arrays(forms: Sequence[Form], memory: int, folder: Path | None = None) -> list[NDArray[Any]]:
    """Return new arrays: in memory if they take at most `memory` bytes together, otherwise in files.

    The files are in `folder`, or where the system keeps temporary ones. They have no name, so that they are
    gone with the arrays, or with the process. Raises `DataError` if the disk has no room for them.
    """
    sizes = [math.prod(shape) * np.dtype(kind).itemsize for shape, kind in forms]
    # Mapped arrays cannot hold Python's objects, and need a byte at least.
    mapped = [
        sum(sizes) > memory and size > 0 and np.dtype(kind) != object
        for size, (_, kind) in zip(sizes, forms, strict=True)
    ]
    place = folder or Path(tempfile.gettempdir())
    needed = sum(size for size, is_mapped in zip(sizes, mapped, strict=True) if is_mapped)
    try:
        if needed and needed > (free := shutil.disk_usage(place).free):
            raise DataError(
                f"the data take {needed / 1e6:,.0f} MB, more than CACHEMEMORY, and {place} has room for"
                f" {free / 1e6:,.0f} MB: free some, or train on a smaller range"
            )
        return [
            _mapped(form, size, place) if is_mapped else np.empty(*form)
            for form, size, is_mapped in zip(forms, sizes, mapped, strict=True)
        ]
    except OSError as error:
        raise DataError(f"the data cannot be kept in {place}: {error.strerror}") from None
    except MemoryError:
        raise DataError(
            f"the data take {sum(sizes) / 1e6:,.0f} MB, which this machine does not have"
        ) from None


def _mapped(form: Form, size: int, folder: Path) -> NDArray[Any]:
    with tempfile.TemporaryFile(dir=folder) as file:
        # Without room on the disk, writing to mapped memory would end the process.
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        return np.memmap(file, form[1], "r+" if hasattr(os, "posix_fallocate") else "w+", shape=form[0])
