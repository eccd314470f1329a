"""Finds the processes of a running system."""

import psutil


def child(parent: psutil.Process, module: str, **variables: str) -> psutil.Process:
    """Return the process below `parent` that runs a module with these environment variables.

    It was started as `python -m module`; or forked, and is then called by the module and the camera.
    """
    name = f"{module} {variables.get('CAMERANAME', '')}".rstrip()[:15]
    return next(
        process
        for process in parent.children(recursive=True)
        if process.name() == name
        or (process.cmdline()[1:3] == ["-m", module] and variables.items() <= process.environ().items())
    )
