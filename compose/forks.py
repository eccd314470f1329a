"""Children forked from a process that has imported their modules: the client of `compose.forkserver`."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from compose import process
from compose.process import Child

IS_SAFE: Final = sys.platform == "linux"
"""Whether a process may be forked once it has loaded libraries: macOS's own do not allow it."""

_ENDING: Final = 1.0  # s


class Fork:
    """A forked child."""

    def __init__(self, pid: int, stdout: StreamReader, answers: StreamReader, asking: StreamWriter) -> None:
        self.pid = pid
        self.stdout = stdout
        self._asking = asking
        self._status = asyncio.create_task(self._ended(answers))

    async def wait(self) -> int:
        """Return its exit status, once it has ended; a signal that ended it is a negative number."""
        return await asyncio.shield(self._status)

    async def _ended(self, answers: StreamReader) -> int:
        line = await answers.readline()
        self._asking.close()
        if line:
            return int(line)
        process.send(self, signal.SIGKILL)  # the server has gone, and nobody else will tell when this ends
        return -signal.SIGKILL


class ForkServer:
    """Starts children by forking. Without a server that runs, they are started by their commands."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._control: socket.socket | None = None
        self._server: Child | None = None
        self._relaying: asyncio.Task[None] | None = None

    async def open(self, modules: Iterable[str], folder: Path) -> None:
        """Start the server, which begins by importing these modules; raise OSError if that fails."""
        command = [sys.executable, "-m", "compose.forkserver", *modules]
        # It must not have a thread of a library's when it forks.
        variables = {**os.environ, "PYTHONUNBUFFERED": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._control, theirs = socket.socketpair()
        with theirs:
            self._server = await process.start(command, variables, folder, stdin=theirs.fileno())
        self._relaying = asyncio.create_task(self._relay(self._server))

    async def start(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Child:
        """Start `python -m MODULE`; raise OSError if that fails."""
        if self._control is not None:
            with contextlib.suppress(OSError):
                return await self._fork(self._control, command[-1], environment, folder)
        return await process.start(command, environment, folder)

    async def close(self) -> None:
        """End the server, and with it any children that are left."""
        if self._control is not None:
            self._control.close()
        if self._server is not None and self._relaying is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait(), _ENDING)
            process.send(self._server, signal.SIGKILL)
            await self._server.wait()
            await self._relaying

    async def _fork(
        self, control: socket.socket, module: str, environment: Mapping[str, str], folder: Path
    ) -> Fork:
        ours, theirs = socket.socketpair()
        reading, writing = os.pipe()
        answers, asking = await asyncio.open_connection(sock=ours)
        try:
            stdout = await _reader(reading)
            with theirs:
                socket.send_fds(control, [b"+"], [theirs.fileno(), writing])
            asked = {"module": module, "environment": dict(environment), "folder": str(folder)}
            asking.write(json.dumps(asked).encode())
            asking.write_eof()
            line = await answers.readline()
        except BaseException:
            asking.close()  # a child that has been forked by now ends when it cannot answer
            raise
        finally:
            os.close(writing)
        if not line:
            asking.close()
            raise ConnectionError("the fork server has ended")
        return Fork(int(line), stdout, answers, asking)

    async def _relay(self, server: Child) -> None:
        async for line in process.lines(server):
            self._say(line)


async def _reader(file: int) -> StreamReader:
    """Return a reader of a pipe, which closes it at its end."""
    reader = StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(file, "rb", 0))
    return reader
