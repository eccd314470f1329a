"""How a restricted process is started; the process itself is a stand-in."""

import io
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from training.code.process import Process, start
from training.code.watch import Usage


class Output(io.BytesIO):
    """Standard output, which nobody reads here."""

    def fileno(self) -> int:
        return 2**20


class FakePopen:
    """What `subprocess.Popen` returns. It has ended already, unless `returncode` is None."""

    def __init__(self, command: list[str], **options: Any) -> None:
        self.command, self.options = command, options
        self.pid = 2**22 + 1  # larger than any process's number
        self.returncode: int | None = None
        self.stdin: io.BytesIO | None = io.BytesIO()
        self.stdout = Output()

    def wait(self) -> int:
        return -9 if self.returncode is None else self.returncode


def test_others_may_have_priority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started = list[FakePopen]()

    def popen(*given: Any, **options: Any) -> FakePopen:
        started.append(FakePopen(*given, **options))
        return started[0]

    monkeypatch.setattr(subprocess, "Popen", popen)

    start(tmp_path, {}, nice=10).close()

    assert "niceness.step_back(10); from training.code.child.start import main" in started[0].command[-1]


def test_it_gets_its_variables_and_one_pipe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started = list[FakePopen]()

    def popen(*given: Any, **options: Any) -> FakePopen:
        os.write(options["pass_fds"][0], b"reported")
        started.append(FakePopen(*given, **options))
        return started[0]

    monkeypatch.setenv("DATABASEURL", "postgresql://user:secret@host/")
    monkeypatch.setattr(subprocess, "Popen", popen)

    found = start(tmp_path, {"HOME": "there"})

    options = started[0].options
    assert (options["env"], options["cwd"]) == ({"HOME": "there"}, tmp_path)
    assert options["start_new_session"]
    (pipe,) = options["pass_fds"]
    assert f"main({pipe}, {os.getpid()})" in started[0].command[-1]
    assert "-I" in started[0].command, "neither the user's packages nor variables count"
    assert "niceness.spread(); from training.code.child.start import main" in started[0].command[-1]
    assert os.read(found.reports, 100) == b"reported"
    assert os.read(found.reports, 100) == b"", "this process has closed its end of the pipe"
    found.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.read(found.reports, 1)


def test_nothing_stays_open_if_it_cannot_be_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def popen(*_: Any, **__: Any) -> Any:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(subprocess, "Popen", popen)
    before = os.listdir("/proc/self/fd")

    with pytest.raises(FileNotFoundError):
        start(tmp_path, {})

    assert len(os.listdir("/proc/self/fd")) == len(before)


class Asked(io.BytesIO):
    """Standard input: what was written until it was closed."""

    def close(self) -> None:
        if not self.closed:
            self.question = self.getvalue()
        super().close()


class Gone(io.BytesIO):
    """Standard input of a process that has ended."""

    def write(self, _: Any) -> int:
        raise BrokenPipeError


def test_a_question_is_sent_whole_or_not_at_all() -> None:
    popen, asked, gone = FakePopen([]), Asked(), Gone()

    popen.stdin = asked
    Process(popen, -1).ask(b"{}")  # type: ignore[arg-type]
    assert asked.closed
    assert asked.question == b"{}"

    popen.stdin = gone
    Process(popen, -1).ask(b"{}")  # type: ignore[arg-type]
    assert gone.closed


def test_it_needs_pipes() -> None:
    popen = FakePopen([])
    popen.stdin = None

    with pytest.raises(ValueError, match="expected pipes"):
        Process(popen, -1)  # type: ignore[arg-type]


def test_its_group_is_killed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    popen, killed = FakePopen([]), list[int]()
    monkeypatch.setattr(os, "killpg", lambda group, _: killed.append(group))

    assert Process(popen, -1).kill() == -9  # type: ignore[arg-type]
    popen.returncode = 3
    assert Process(popen, -1).kill() == 3  # type: ignore[arg-type]

    assert killed == [popen.pid]


def test_of_a_process_that_is_gone_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    signalled = list[tuple[int, int]]()
    monkeypatch.setattr(os, "kill", lambda *given: signalled.append(given))
    popen = FakePopen([])
    found = Process(popen, -1)  # type: ignore[arg-type]

    found.print_stack()

    assert signalled == [(popen.pid, signal.SIGUSR1)]
    assert (found.usage(), found.deleted_size()) == (Usage(0, 0), 0)
