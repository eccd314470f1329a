"""A child's lines, and its end."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from compose import process

pytestmark = pytest.mark.parts


def run(
    code: str, folder: Path, use: Callable[[Process], Awaitable[None]] | None = None, *, nice: int = 0
) -> list[str]:
    """Run `python -c`, do something with it, wait for its end and return the lines it wrote."""

    async def main() -> list[str]:
        child = await process.start([sys.executable, "-c", code], os.environ, folder, nice=nice)
        try:
            if use is not None:
                await use(child)
            return [line async for line in process.lines(child)]
        finally:
            process.send(child, signal.SIGKILL)
            await child.wait()

    return asyncio.run(main())


def test_both_outputs_come_line_by_line(tmp_path: Path) -> None:
    code = "import os; os.write(1, b'one\\ntw'); os.write(2, b'o\\nthree')"

    assert run(code, tmp_path) == ["one", "two", "three"]


def test_others_may_have_priority(tmp_path: Path) -> None:
    code = "import os; print(os.nice(0))"

    usual = int(run(code, tmp_path)[0])
    assert run(code, tmp_path, nice=5) == [str(min(19, usual + 5))]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (b"windows\r\n", ["windows"]),
        (b"10 %\r20 %\r30 %\n", ["30 %"]),
        (b"\n \n\n", []),
        (b"caf\xc3\xa9 \xff\n", ["café \ufffd"]),
    ],
)
def test_odd_lines(written: bytes, shown: list[str], tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(written)

    assert run("import sys; sys.stdout.buffer.write(open('text', 'rb').read())", tmp_path) == shown


def test_an_endless_line_comes_in_pieces(tmp_path: Path) -> None:
    lines = run("print('x' * 500_000); print('last')", tmp_path)

    assert "".join(lines) == "x" * 500_000 + "last"
    assert max(map(len, lines)) <= 2 * 65_536
    assert lines[-1].endswith("last")


def test_a_line_comes_when_it_is_complete(tmp_path: Path) -> None:
    code = "import os, time; os.write(1, b'a\\nhal'); time.sleep(60)"
    seen = []

    async def use(child: Process) -> None:
        async for line in process.lines(child):
            seen.append(line)
            process.send(child, signal.SIGTERM)

    run(code, tmp_path, use)

    assert seen == ["a", "hal"]


def test_it_has_a_session_of_its_own_and_what_it_starts_receives_its_signals(tmp_path: Path) -> None:
    code = "import subprocess; subprocess.run(['sh', '-c', 'echo up; sleep 60'])"

    async def use(child: Process) -> None:
        assert os.getsid(child.pid) == child.pid
        async with asyncio.timeout(20):
            async for _ in process.lines(child):  # to the end of both: the shell holds the pipe, too
                process.send(child, signal.SIGTERM)
        assert await child.wait() == -signal.SIGTERM
        process.send(child, signal.SIGTERM)  # nobody is left; that is not an error

    run(code, tmp_path, use)


def test_a_command_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        asyncio.run(process.start(["/nowhere"], {}, tmp_path))


def test_exit_statuses_in_words() -> None:
    assert process.named(3) == "exit code 3"
    assert process.named(-signal.SIGKILL) == "SIGKILL"
    assert process.named(-250) == "signal 250"
