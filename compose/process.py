"""Child processes: started so that they end with compose, read line by line, and signalled."""

import asyncio
import contextlib
import os
import signal
import subprocess
from asyncio import StreamReader
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from compose import tie
from pipeline.service import niceness

_LONGEST_LINE: Final = 65_536  # bytes, after which a line comes in pieces


class Child(Protocol):
    """A child process, however it was started."""

    @property
    def pid(self) -> int:
        """Its process id, which is also that of its session."""

    @property
    def stdout(self) -> StreamReader | None:
        """Its standard output and standard error."""

    async def wait(self) -> int:
        """Return its exit status, once it has ended; a signal that ended it is a negative number."""


async def start(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    *,
    stdin: int = subprocess.DEVNULL,
    nice: int = 0,
) -> Process:
    """Start a child with a pipe for its standard output and standard error; raise OSError if that fails.

    Others have priority over it by `nice`, 0 to 19.
    """
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=environment,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # In a session of its own, it does not receive a terminal's Ctrl-C: compose decides when it ends.
        start_new_session=True,
        # Python code between fork and exec is only safe if no other thread holds a lock. The only other
        # threads are those in which asyncio waits for children, until Python 3.12.
        preexec_fn=_first(os.getpid(), nice),
    )


def _first(parent: int, nice: int) -> Callable[[], object] | None:
    """Return what a child of the process `parent` runs first; None if there is nothing to do."""
    tied = tie.to_parent(parent)
    if not nice:
        return tied

    def run() -> None:
        os.nice(nice)
        niceness.spread()
        if tied:
            tied()

    return run


async def lines(process: Child) -> AsyncIterator[str]:
    """Yield the lines that a child writes, without those that are empty, until its output ends."""
    assert process.stdout is not None  # noqa: S101 # `start` gave it a pipe
    rest = b""
    while data := await process.stdout.read(_LONGEST_LINE):
        *complete, rest = (rest + data).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            complete, rest = [*complete, rest], b""
        for line in filter(None, map(_text, complete)):
            yield line
    if line := _text(rest):
        yield line


def send(process: Child, number: signal.Signals) -> None:
    """Send a signal to a child, and to anything that it has started itself."""
    with contextlib.suppress(ProcessLookupError):  # all have ended
        os.killpg(process.pid, number)


def named(status: int) -> str:
    """Return an exit status in words."""
    if status >= 0:
        return f"exit code {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def _text(line: bytes) -> str:
    # A progress bar overwrites its line: take what a terminal would show in the end.
    return line.rstrip(b"\r").rpartition(b"\r")[2].decode(errors="replace").rstrip()
