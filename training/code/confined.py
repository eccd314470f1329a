"""Runs a task in a process that can harm nothing: without rights, secrets, a network, and within limits."""

import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from training.code.limits import Limits
from training.code.process import start
from training.code.supervise import Child


def run(
    task: str,
    request: Mapping[str, Any],
    *,
    folder: Path,
    limits: Limits,
    read: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    on_progress: Callable[[dict[str, Any]], None] | None = None,
    stop: threading.Event | None = None,
    nice: int = 0,
) -> Any:
    """Run `main(request, report)` of the module `task` in its own process, and return its result (JSON).

    The process may write only in `folder`, where it starts, and read what is installed and `read`. It has
    ended when this returns. Do not trust what it returns, or leaves in the folder: its code can do anything
    within the limits. Everything else on this machine has priority over it by `nice`, 0 to 19. Raises
    CodeError with the cause if the task fails, and StoppedError after `stop`.
    """
    process = start(folder, _environment(folder, environment or {}), nice=nice)
    child = Child(process, folder, limits, on_progress)
    try:
        process.ask(_question(task, request, folder, limits, read))
        return child.answer(stop)
    finally:
        child.end()


def _environment(folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment: nothing of ours, which has secrets."""
    return {
        "CUDA_VISIBLE_DEVICES": "",
        "HOME": str(folder),
        "KERAS_HOME": str(folder),
        "LANG": "C.UTF-8",
        "PATH": "/usr/bin:/bin",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TMPDIR": str(folder),
        **more,
    }


def _question(
    task: str, request: Mapping[str, Any], folder: Path, limits: Limits, read: Sequence[Path]
) -> bytes:
    # The last resort if this process ends without ending the other.
    cpu_time = None if limits.time is None else int((limits.start + limits.time) * (os.cpu_count() or 1)) + 1
    return json.dumps(
        {
            "task": task,
            "request": dict(request),
            "folder": str(folder),
            "read": [str(path) for path in read],
            "memory": limits.memory,
            "file_size": limits.folder,
            "open_files": limits.open_files,
            "cpu_time": limits.cpu_time or cpu_time,
        }
    ).encode()
