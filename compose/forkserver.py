"""Imports what producers need, once, and forks a process for each: `python -m compose.forkserver MODULE...`.

Importing takes a producer nearly all of the time that it needs to start. `compose.forks` is the client. It
sends a byte over the Unix socket that is this process's standard input, with two file descriptors: a socket
for the one child, and the file for its output. The child reads a JSON object from its socket: the `module` to
run as `python -m` would, its `environment` and its `folder`. The answers there are lines: the child's process
id, and its exit status once it has ended. When the client closes its end, this process ends, and its children
with it.

It has a single thread, because a fork copies only one.
"""

import gc
import json
import os
import runpy
import signal
import socket
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Final

from compose import tie

_REAPED: Final = {signal.SIGCHLD}


class _Children:
    """The children that run, each with the socket for its answers."""

    def __init__(self) -> None:
        self._sockets: dict[int, socket.socket] = {}

    def add(self, pid: int, answers: socket.socket) -> None:
        """Remember a child."""
        self._sockets[pid] = answers

    def reap(self, _number: int, _frame: FrameType | None) -> None:
        """Report the children that have ended."""
        while self._sockets:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            with self._sockets.pop(pid) as answers:
                _answer(answers, os.waitstatus_to_exitcode(status))

    def forget(self) -> None:
        """Close the sockets, in a child: they belong to its siblings."""
        for answers in self._sockets.values():
            answers.close()


def serve(control: socket.socket) -> socket.socket | None:
    """Fork until the client closes its end: then return None. In each child, return the child's socket."""
    children = _Children()
    signal.signal(signal.SIGCHLD, children.reap)
    parent = os.getpid()
    while True:
        data, files, _, _ = socket.recv_fds(control, 1, 2)
        if not data:
            return None
        answers, output = socket.socket(fileno=files[0]), files[1]
        # A child that ends at once must not be reaped before it is remembered.
        signal.pthread_sigmask(signal.SIG_BLOCK, _REAPED)
        pid = os.fork()
        if pid == 0:
            control.close()
            children.forget()
            _detach(parent, output)
            return answers
        children.add(pid, answers)
        os.close(output)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _REAPED)


def become(answers: socket.socket) -> None:
    """Run in this process what the client asks for."""
    with answers, answers.makefile("rb") as asking:
        asked = json.load(asking)
        name, camera = asked["module"], asked["environment"].get("CAMERANAME", "")
        _show_name(f"{name} {camera}".rstrip())
        _answer(answers, os.getpid())
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = [name]
    sys.modules.pop(f"{name}.__main__", None)  # it is to run, not to be imported
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _show_name(name: str) -> None:
    """Show this process as the first 15 bytes of its name in `ps -e` and `top`, as `producer door`."""
    Path("/proc/self/comm").write_bytes(name.encode()[:15])


def _detach(parent: int, output: int) -> None:
    """Make this a process of its own, as `compose.process.start` does."""
    if bind := tie.to_parent(parent):
        bind()
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _REAPED)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for file, standard in (nothing, 0), (output, 1), (output, 2):
        os.dup2(file, standard)
    os.close(nothing)
    os.close(output)


def _answer(answers: socket.socket, number: int) -> None:
    try:
        answers.sendall(b"%d\n" % number)
    except OSError:  # the client no longer cares
        return


def main(modules: Sequence[str]) -> None:
    """Import the modules and serve."""
    for name in modules:
        import_module(name)
    gc.collect()
    gc.freeze()  # the garbage collector of a child would copy what it looks at
    with socket.socket(fileno=os.dup(0)) as control:
        child = serve(control)
    if child is not None:
        become(child)


if __name__ == "__main__":
    main(sys.argv[1:])
