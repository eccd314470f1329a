"""A child's lines, and its end."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from compose.process import Process
from tests.parts import wait_for

pytestmark = pytest.mark.parts


class Child:
    """A running `python -c`, and the lines it has shown."""

    def __init__(self, code: str, folder: Path) -> None:
        self.lines: list[str] = []
        self.process = Process([sys.executable, "-c", code], dict(os.environ), folder, self.lines.append)

    def ended(self) -> int:
        """Wait for its end and return its status."""
        wait_for(self._has_ended, 20, "its end")
        return self.process.poll() or 0

    def _has_ended(self) -> bool:
        self.process.relay()
        return self.process.poll() is not None

    def shows(self, line: str) -> bool:
        self.process.relay()
        return line in self.lines


@pytest.fixture
def started() -> Iterator[list[Child]]:
    children: list[Child] = []
    yield children
    for child in children:
        child.process.kill()
        child.ended()


def child(code: str, started: list[Child], folder: Path) -> Child:
    started.append(Child(code, folder))
    return started[-1]


def test_both_outputs_come_line_by_line(started: list[Child], tmp_path: Path) -> None:
    code = "import os; os.write(1, b'one\\ntw'); os.write(2, b'o\\nthree'); os._exit(4)"

    ran = child(code, started, tmp_path)

    assert ran.ended() == 4
    assert ran.lines == ["one", "two", "three"]
    assert ran.process.last_line == "three"
    assert not ran.process.is_open


def test_a_line_is_shown_when_it_is_whole(started: list[Child], tmp_path: Path) -> None:
    code = "import os,sys; os.write(1, b'a\\nhal'); sys.stdin.read(); os.write(1, b'f\\n')"

    ran = child(code, started, tmp_path)

    wait_for(lambda: ran.shows("a"), 20, "the whole line")
    assert ran.ended() == 0
    assert ran.lines == ["a", "half"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (b"windows\r\n", ["windows"]),
        (b"10 %\r20 %\r30 %\n", ["30 %"]),
        (b"\n \n\n", []),
        (b"caf\xc3\xa9 \xff\n", ["café �"]),
        (b"x" * 200_000 + b"\nlast\n", None),
    ],
)
def test_odd_lines(written: bytes, shown: list[str] | None, started: list[Child], tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(written)

    ran = child("import sys; sys.stdout.buffer.write(open('text', 'rb').read())", started, tmp_path)

    assert ran.ended() == 0
    if shown is None:
        assert "".join(ran.lines) == "x" * 200_000 + "last"
        assert max(map(len, ran.lines)) <= 2 * 65_536
    else:
        assert ran.lines == shown


def test_an_end_does_not_wait_for_what_the_child_started(started: list[Child], tmp_path: Path) -> None:
    code = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid)"

    ran = child(code, started, tmp_path)

    assert ran.ended() == 0
    os.kill(int(ran.lines[0]), 9)


def test_closing_its_output_is_no_end(started: list[Child], tmp_path: Path) -> None:
    ran = child("import os,time; os.close(1); os.close(2); time.sleep(60)", started, tmp_path)

    wait_for(lambda: ran.shows("") or not ran.process.is_open, 20, "the end of its output")

    assert ran.process.poll() is None


def test_it_has_a_session_of_its_own_and_what_it_starts_ends_with_it(
    started: list[Child], tmp_path: Path
) -> None:
    code = "import subprocess; subprocess.run(['sh', '-c', 'echo up; sleep 60'])"

    ran = child(code, started, tmp_path)
    wait_for(lambda: ran.shows("up"), 20, "it to run")
    assert os.getsid(ran.process.pid) == ran.process.pid
    ran.process.terminate()

    assert ran.ended() == -15
    ran.process.terminate()  # once it has ended, nothing happens
    with pytest.raises(ProcessLookupError):
        wait_for(lambda: os.killpg(ran.process.pid, 0), 5, "the group to be empty")


def test_it_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        Process(["/nowhere"], {}, tmp_path, print)
