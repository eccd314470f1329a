"""A restricted process as its parent sees it: its pipes, what it uses, and its end."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from training.code.watch import Usage, deleted_size, usage

_ROOT: Final = Path(__file__).resolve().parents[2]
_START: Final = (
    "import sys; sys.path.insert(0, {root!r}); "
    "from pipeline.service import niceness; niceness.{step}; "
    "from training.code.child.start import main; main({pipe}, {parent})"
)


class Process:
    """A process that reads a question, prints, and reports to a pipe of its own."""

    def __init__(self, process: subprocess.Popen[bytes], reports: int) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("expected pipes")
        self._process = process
        self._input = process.stdin
        self._output = process.stdout
        self.reports = reports
        self.output = process.stdout.fileno()

    def ask(self, question: bytes) -> None:
        """Send what to do."""
        with suppress(BrokenPipeError), self._input as pipe:
            pipe.write(question)

    def usage(self) -> Usage:
        """Return what it uses right now."""
        return usage(self._process.pid)

    def deleted_size(self) -> int:
        """Return the size in bytes of the files that it has deleted and still uses."""
        return deleted_size(self._process.pid)

    def print_stack(self) -> None:
        """Let it print which line runs."""
        os.kill(self._process.pid, signal.SIGUSR1)

    def has_ended(self) -> bool:
        """Return whether it has ended. It keeps its number until `kill`."""
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def kill(self) -> int:
        """End it, and all that it started; return its status, negative for signals."""
        if self._process.returncode is None:
            # Also what is left of its group where the filter of system calls is missing.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.wait()

    def close(self) -> None:
        """Close the pipes."""
        os.close(self.reports)
        self._output.close()


def start(folder: Path, environment: Mapping[str, str], *, nice: int = 0) -> Process:
    """Start a process in a folder, with just these variables; it waits for its question. Raises OSError.

    Everything else on the machine has priority over it by `nice`, 1 to 19; with 0, it is as nice as this one.
    """
    reports, pipe = os.pipe()
    step = f"step_back({nice})" if nice else "spread()"
    code = _START.format(root=str(_ROOT), step=step, pipe=pipe, parent=os.getpid())
    try:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-B", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(pipe,),
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
        )
    except OSError:
        os.close(reports)
        raise
    finally:
        os.close(pipe)
    return Process(process, reports)
