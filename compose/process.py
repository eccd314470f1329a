"""A child process: started in a session of its own, its lines collected, ended politely or not."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final, cast

_LONGEST: Final = 65_536  # bytes of a line
_PR_SET_PDEATHSIG: Final = 1  # of linux/prctl.h


class Process:
    """A running child. Its standard output and standard error go to `show`, a line at a time.

    Nothing here waits. Raises OSError when it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        show: Callable[[str], None],
    ) -> None:
        self._show = show
        self._rest = b""
        self.last_line = ""
        # In a session of its own a terminal's Ctrl-C does not reach it: how it ends is decided here alone.
        self._popen = subprocess.Popen(  # noqa: S603 # the commands are those of the table of parts
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_tie(os.getpid()),  # noqa: PLW1509 # there are no threads here
        )
        self._pipe = cast("IO[bytes]", self._popen.stdout)
        os.set_blocking(self._pipe.fileno(), False)

    @property
    def pid(self) -> int:
        """The child's number."""
        return self._popen.pid

    @property
    def is_open(self) -> bool:
        """Whether more output may come."""
        return not self._pipe.closed

    def fileno(self) -> int:
        """Return the number of the pipe that the output comes through."""
        return self._pipe.fileno()

    def relay(self) -> None:
        """Show the lines that have come."""
        while self.is_open:
            try:
                data = os.read(self.fileno(), _LONGEST)
            except BlockingIOError:
                return
            *lines, self._rest = (self._rest + data).split(b"\n")
            if not data or len(self._rest) > _LONGEST:
                lines.append(self._rest)
                self._rest = b""
            if not data:
                self._pipe.close()
            for line in lines:
                self._take(line)

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal, or None while it runs.

        When it has ended, its last lines have been shown.
        """
        status = self._popen.poll()
        if status is not None:
            self.relay()
            self._take(self._rest)
            self._rest = b""
            # What it started itself may hold the pipe open for ever.
            self._pipe.close()
        return status

    def terminate(self) -> None:
        """Ask it, and what it started, to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it, and what it started, at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.killpg(self.pid, number)

    def _take(self, line: bytes) -> None:
        # Of a line that was overwritten, as by a progress bar, what a terminal would show in the end.
        text = line.rstrip(b"\r").rpartition(b"\r")[2].decode(errors="replace").rstrip()
        if text:
            self.last_line = text
            self._show(text)


def _tie(parent: int) -> Callable[[], None] | None:
    """Return what a child does first so that it ends with its parent, however that ends. Linux only."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it has ended in the meantime
            os._exit(1)

    return tie
