"""The first thing in a restricted process: it gives up its rights, then runs its task."""

import faulthandler
import importlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, Final

from training.code.child.execute import UserError, where
from training.code.child.reason import reason
from training.code.child.report import Report
from training.code.restrict import Rights, privileges, restrict

_PACKAGE: Final = Path(__file__).resolve().parents[2]
_SYSTEM: Final = (
    "/usr",
    "/lib",
    "/lib64",
    "/etc/alternatives",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/timezone",
    "/dev/urandom",
    "/dev/random",
    "/dev/zero",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/version",
    "/proc/filesystems",
    "/proc/sys/vm",
    "/proc/driver/nvidia",
    "/sys/bus",
    "/sys/class",
    "/sys/devices",
    "/sys/fs/cgroup",
)
"""What Python and the frameworks read."""


def main(pipe: int, parent: int) -> None:
    """Run the task on standard input, a JSON object, and report to the pipe. Does not return."""
    privileges.end_with_parent()
    if os.getppid() != parent:  # it ended before that
        os._exit(1)
    # Tells the parent, on standard error, which line runs.
    faulthandler.register(signal.SIGUSR1, all_threads=False)
    report = Report(pipe)
    given = json.load(sys.stdin.buffer)
    report.send("restricted", restrict(_rights(given)))
    try:
        task = importlib.import_module(given["task"])
        report.send("done", task.main(given["request"], report))
    except UserError as error:
        report.send("error", str(error))
    except BaseException as error:  # the parent logs it
        report.send("error", f"{where(error)}: {reason(error)}")
    os._exit(0)  # whatever threads the code started


def _rights(given: dict[str, Any]) -> Rights:
    folders = [Path(sys.prefix), Path(sys.base_prefix), _PACKAGE, *map(Path, _installed())]
    return Rights(
        read=[*folders, *map(Path, _SYSTEM), *map(Path, given["read"])],
        write=[Path(given["folder"])],
        memory=given["memory"],
        file_size=given["file_size"],
        open_files=given["open_files"],
        cpu_time=given["cpu_time"],
    )


def _installed() -> list[str]:
    """Return where Python looks for packages, except the folder of ours."""
    return [path for path in sys.path if path and path != str(_PACKAGE.parent)]
