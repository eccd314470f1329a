"""How a task gets into its process, and its reports out of it; the process is a stand-in."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.clock import Clock
from tests.training.code.fakes import FakeProcess
from training.code import confined
from training.code.child.report import Report
from training.code.confined import run
from training.code.limits import Limits
from training.code.program import CodeError


class World:
    """Starts the process."""

    def __init__(self) -> None:
        self.process = FakeProcess(Clock())
        self.folder = Path()
        self.environment: Mapping[str, str] = {}
        self.nice = 0

    def start(self, folder: Path, environment: Mapping[str, str], *, nice: int) -> FakeProcess:
        self.folder, self.environment, self.nice = folder, environment, nice
        return self.process

    @property
    def question(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.process.question)
        return found


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    found = World()
    monkeypatch.setattr(confined, "start", found.start)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    return found


def test_the_task_and_its_limits_are_the_question(world: World, tmp_path: Path) -> None:
    world.process.report("done", [1])
    limits = Limits(start=100, time=20, memory=1, folder=2, open_files=3)

    found = run("a.task", {"code": "é"}, folder=tmp_path, limits=limits, read=[Path("/data")])

    assert found == [1]
    assert world.question == {
        "task": "a.task",
        "request": {"code": "é"},
        "folder": str(tmp_path),
        "read": ["/data"],
        "memory": 1,
        "file_size": 2,
        "open_files": 3,
        "cpu_time": 481,
    }
    assert world.process.is_killed
    assert world.process.is_closed


@pytest.mark.parametrize(
    ("limits", "expected"),
    [(Limits(time=None), None), (Limits(cpu_time=5), 5), (Limits(time=None, cpu_time=5), 5)],
    ids=["any", "given", "both"],
)
def test_processor_time_is_limited_if_the_time_is(
    world: World, tmp_path: Path, limits: Limits, expected: int | None
) -> None:
    world.process.report("done")

    run("a.task", {}, folder=tmp_path, limits=limits)

    assert world.question["cpu_time"] == expected


def test_the_environment_has_nothing_of_ours(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASEURL", "postgresql://user:secret@host/")
    world.process.report("done")

    run("a.task", {}, folder=tmp_path, limits=Limits(), environment={"CUDA_VISIBLE_DEVICES": "1"})

    assert world.folder == tmp_path
    assert "DATABASEURL" not in world.environment
    assert world.environment["HOME"] == world.environment["TMPDIR"] == str(tmp_path)
    assert world.environment["CUDA_VISIBLE_DEVICES"] == "1"


def test_the_process_has_ended_after_an_error_too(world: World, tmp_path: Path) -> None:
    world.process.report("error", "line 1 of the code: KeyError: 1")

    with pytest.raises(CodeError, match="line 1 of the code"):
        run("a.task", {}, folder=tmp_path, limits=Limits())

    assert world.process.is_killed
    assert world.process.is_closed


def test_a_report_is_one_line_of_json() -> None:
    reading, writing = os.pipe()
    report = Report(writing)

    report.send("started")
    report.progress({"text": "two\nlines, é"})
    os.close(writing)

    with open(reading, "rb") as pipe:
        lines = pipe.readlines()
    assert [json.loads(line) for line in lines] == [
        {"kind": "started", "value": None},
        {"kind": "progress", "value": {"text": "two\nlines, é"}},
    ]


def test_a_report_that_fits_only_in_parts_is_written_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """As into a pipe that is nearly full."""
    written = bytearray()

    def write(_: int, data: memoryview) -> int:
        written.extend(data[:7])
        return min(7, len(data))

    monkeypatch.setattr(os, "write", write)

    Report(1).send("done", "x" * 100)

    assert json.loads(written) == {"kind": "done", "value": "x" * 100}
