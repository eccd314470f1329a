"""Which processes others have priority over."""

import os
from pathlib import Path

LOWEST = (19, os.SCHED_BATCH)
"""The niceness and the policy of a thread that everything else has priority over."""


def of_threads(pid: int) -> set[tuple[int, int]]:
    """Return the niceness and the policy of all threads of a process."""
    threads = [int(each.name) for each in Path(f"/proc/{pid}/task").iterdir()]
    return {(os.getpriority(os.PRIO_PROCESS, each), os.sched_getscheduler(each)) for each in threads}


def of_session(pid: int) -> int | None:
    """Return the niceness of a process's session; None if this system does not compare sessions."""
    try:
        return int(Path(f"/proc/{pid}/autogroup").read_text().rpartition(" ")[2])
    except FileNotFoundError:
        return None
