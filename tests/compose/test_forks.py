"""Children forked from a process that has imported their modules."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from compose import forks, process
from compose.forks import ForkServer
from compose.process import Child
from tests.parts import ROOT, wait_for
from tests.processes import gone

pytestmark = [
    pytest.mark.parts,
    pytest.mark.skipif(not forks.IS_SAFE, reason="here, no process is forked"),
]

MODULE = "tests.compose.forked"
IMPORTED = "graphlib"


def run(use: Callable[[ForkServer], Awaitable[None]], *modules: str) -> list[str]:
    """Do something with a fork server that has imported the modules; return what it said."""
    said: list[str] = []

    async def main() -> None:
        server = ForkServer(said.append)
        await server.open(modules or [IMPORTED], ROOT)
        try:
            async with asyncio.timeout(60):
                await use(server)
        finally:
            await server.close()

    asyncio.run(main())
    return said


async def start(server: ForkServer, does: str, says: str = "hello", folder: Path = ROOT) -> Child:
    """Start a child that says something and does something."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "SAYS": says, "DOES": does}
    return await server.start([sys.executable, "-m", MODULE], variables, folder)


async def lines(child: Child) -> list[str]:
    return [line async for line in process.lines(child)]


def only(server: ForkServer) -> psutil.Process:
    """Return the fork server's process."""
    assert server._server is not None
    return psutil.Process(server._server.pid)


def test_a_child_is_like_one_that_its_command_starts(tmp_path: Path) -> None:
    async def use(server: ForkServer) -> None:
        child = await start(server, "3", "hi", tmp_path)

        assert psutil.Process(child.pid).ppid() == only(server).pid
        assert os.getsid(child.pid) == child.pid
        assert psutil.Process(child.pid).name() == MODULE[:15]
        first, second = await lines(child)
        says, arguments, folder, read = first.split("|")
        assert (says, Path(folder), read) == ("hi", tmp_path, "")
        assert "forked" in arguments
        assert second == "with graphlib"
        assert await child.wait() == 3
        assert await child.wait() == 3

    assert run(use) == []


def test_each_child_has_its_own_environment_output_and_status() -> None:
    async def use(server: ForkServer) -> None:
        children = await asyncio.gather(*(start(server, str(number), f"n{number}") for number in range(12)))
        written = await asyncio.gather(*map(lines, children))
        statuses = await asyncio.gather(*(child.wait() for child in children))

        assert [each[0].partition("|")[0] for each in written] == [f"n{number}" for number in range(12)]
        assert statuses == list(range(12))

    assert run(use) == []


def test_a_child_that_fails_says_why() -> None:
    async def use(server: ForkServer) -> None:
        child = await start(server, "fail")

        assert (await lines(child))[-1] == "ValueError: it fails"
        assert await child.wait() == 1

    run(use)


@pytest.mark.parametrize(("does", "number"), [("die", signal.SIGKILL), ("stay", signal.SIGTERM)])
def test_a_signal_ends_a_child(does: str, number: signal.Signals) -> None:
    async def use(server: ForkServer) -> None:
        child = await start(server, does)
        process.send(child, number)

        assert await child.wait() == -number
        process.send(child, number)  # nobody is left; that is not an error

    run(use)


def test_children_end_with_their_server_and_the_next_ones_do_without() -> None:
    async def use(server: ForkServer) -> None:
        child = await start(server, "stay")
        only(server).kill()

        assert await child.wait() == -signal.SIGKILL
        wait_for(lambda: gone(child.pid), 5, "the child to end")

        other = await start(server, "4")
        assert "without graphlib" in await lines(other)
        assert await other.wait() == 4

    run(use)


def test_modules_that_cannot_be_imported_are_reported_and_do_not_matter() -> None:
    async def use(server: ForkServer) -> None:
        child = await start(server, "5")

        assert "without graphlib" in await lines(child)
        assert await child.wait() == 5

    said = run(use, "tests.compose.nothing")

    assert "No module named 'tests.compose.nothing'" in said[-1]


def test_children_end_with_whoever_started_the_server() -> None:
    code = """
import asyncio, json, os, sys
from tests.compose.test_forks import IMPORTED, ROOT, ForkServer, only, start

async def main():
    server = ForkServer(print)
    await server.open([IMPORTED], ROOT)
    child = await start(server, "stay")
    print(json.dumps([only(server).pid, child.pid]), flush=True)
    await child.wait()

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids = json.loads(parent.stdout.readline())
        parent.kill()

    wait_for(lambda: all(map(gone, pids)), 5, "both to end")
