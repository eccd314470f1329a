"""Ties a process to its parent: it ends when the parent does, however that happens. Linux only."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

_PR_SET_PDEATHSIG: Final = 1  # from linux/prctl.h


def to_parent(parent: int) -> Callable[[], None] | None:
    """Return what a child of the process `parent` runs first to be tied to it; None if it cannot be."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it has ended in the meantime
            os._exit(1)

    return tie
