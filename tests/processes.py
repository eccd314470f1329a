"""Reads processes that may end at any moment."""

from typing import NamedTuple

import psutil


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


class Shown(NamedTuple):
    """What a machine's users can see of a process. All is empty once it has ended."""

    name: str = ""
    command: tuple[str, ...] = ()
    variables: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, process: psutil.Process) -> "Shown":
        """Read it."""
        try:
            return cls(process.name(), tuple(process.cmdline()), frozenset(process.environ().items()))
        except psutil.NoSuchProcess:
            return cls()


def child(parent: psutil.Process, module: str, **variables: str) -> psutil.Process:
    """Return the process below `parent` that runs a module with these environment variables.

    It was started as `python -m module`; or forked, and is then called by the module and the camera.
    """
    name = f"{module} {variables.get('CAMERANAME', '')}".rstrip()[:15]
    for process in parent.children(recursive=True):
        shown = Shown.of(process)
        if shown.name == name or (
            shown.command[1:3] == ("-m", module) and variables.items() <= shown.variables
        ):
            return process
    raise AssertionError(f"no process runs {module}")
