"""Lets everything else on the machine run first."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

LEAST: Final = 19
"""The niceness of processes that everything else has priority over."""

_SESSION: Final = Path("/proc/self/autogroup")
_TRIES: Final = 10
_BREAK: Final = 0.1  # s: Linux accepts one change at a time


def step_back(nice: int = LEAST) -> None:
    """Give everything else priority over this process and all that it starts from now on, by `nice`, 1 to 19.

    They interrupt nothing else, where the system allows that. Linux derives the priority of their reads and
    writes from `nice`.
    """
    os.setpriority(os.PRIO_PROCESS, 0, max(nice, os.getpriority(os.PRIO_PROCESS, 0)))
    with suppress(OSError):
        # Not SCHED_IDLE: Linux takes a processor with nothing else for free, and lets others wait there, as
        # sessions that share processor time have no such policy.
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    spread()


def spread() -> None:
    """Give this process's niceness to its session.

    If Linux shares processor time between sessions (sched_autogroup_enabled), it compares the niceness of
    processes only within a session; a new session has none.
    """
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    for _ in range(_TRIES if nice > 0 else 0):
        try:
            _SESSION.write_text(str(nice))
        except BlockingIOError:
            time.sleep(_BREAK)
        except OSError:  # not on this system
            return
        else:
            return
