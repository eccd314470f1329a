"""Child processes: the bare loops, and the processor time of any process."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.parts import Process, free_port, wait_for


class Bare(Process):
    """One of the loops of `tests.bench.bare`, or `tests.bench.bare_video`."""

    def __init__(self, folder: Path, module: str, *arguments: str, tag: str = "") -> None:
        command = [sys.executable, "-m", f"tests.bench.{module}", *arguments]
        super().__init__(command, {}, folder / f"{module}-{arguments[0]}{tag}.log")

    @property
    def done(self) -> int:
        """The number of frames it has processed: it writes a dot for each."""
        return self.log.stat().st_size

    def going(self) -> None:
        """Wait until it has processed one second of frames."""
        wait_for(lambda: self.done > 25, 30, f"{self.log.name} to process frames")


@contextmanager
def serving(module: str, kind: str) -> Iterator[tuple[Process, int]]:
    """Run a kind of a server of `tests.bench`; yield it and its port once it listens."""
    with TemporaryDirectory() as folder:
        port = free_port()
        command = [sys.executable, "-m", f"tests.bench.{module}", kind, str(port)]
        with Process(command, {}, Path(folder) / f"{module}-{kind}.log") as server:
            wait_for(lambda: "listening" in server.text, 30, f"the server {kind} of {module}")
            yield server, port


def spent(pid: int) -> float:
    """Return the processor time in s of a running process, including all threads it ever had."""
    # What clock_getcpuclockid(3) returns; psutil's times are in steps of 10 ms.
    return time.clock_gettime((~pid << 3) | 2)
