"""Finds the processes of a running system."""

import psutil


def child(parent: psutil.Process, module: str, **variables: str) -> psutil.Process:
    """Return the process below `parent` that runs `python -m module` with these environment variables."""
    return next(
        process
        for process in parent.children(recursive=True)
        if process.cmdline()[1:3] == ["-m", module] and variables.items() <= process.environ().items()
    )
