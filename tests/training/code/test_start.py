"""The first thing in a restricted process, here without giving up any rights."""

import io
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.parts import ROOT
from training.code.child import start
from training.code.restrict import Rights, privileges

TASK = "tests.training.code.plain"


class EndedError(BaseException):
    """The process has ended."""


class World:
    """A process that is about to begin."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._reports, self.pipe = os.pipe()
        self.steps = list[str]()
        self.rights: Rights | None = None
        self.question: dict[str, Any] = {}

    def restrict(self, rights: Rights) -> list[str]:
        self.steps.append("restrict")
        self.rights = rights
        return ["Landlock: not there"]

    def begin(self, code: str = "result = 1", parent: int | None = None, **more: Any) -> list[Any]:
        """Return what the process reports until its end."""
        self.question = {
            "task": TASK,
            "request": {"imports": "", "code": code},
            "folder": str(self.folder),
            "read": ["/data"],
            "memory": 1,
            "file_size": 2,
            "open_files": 3,
            "cpu_time": None,
            **more,
        }
        with pytest.raises(EndedError) as ended:
            start.main(self.pipe, os.getppid() if parent is None else parent)
        self.status = ended.value.args[0]
        os.close(self.pipe)
        with open(self._reports, "rb") as reports:
            return [json.loads(line) for line in reports]

    @property
    def buffer(self) -> io.BytesIO:
        """Standard input."""
        return io.BytesIO(json.dumps(self.question).encode())


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    found = World(tmp_path)

    def end(status: int) -> None:
        raise EndedError(status)

    monkeypatch.setattr(privileges, "end_with_parent", lambda: found.steps.append("follow"))
    monkeypatch.setattr(start, "restrict", found.restrict)
    monkeypatch.setattr(start, "faulthandler", SimpleNamespace(register=lambda *_, **__: None))
    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(sys, "stdin", found)
    return found


def test_rights_are_given_up_before_the_task_runs(world: World) -> None:
    reports = world.begin("result = 5")

    assert world.steps == ["follow", "restrict"]
    assert reports == [
        {"kind": "restricted", "value": ["Landlock: not there"]},
        {"kind": "started", "value": None},
        {"kind": "done", "value": 5},
    ]
    assert world.status == 0


def test_the_rights_are_what_was_asked_for_and_what_python_needs(world: World) -> None:
    world.begin()

    rights = world.rights
    assert rights is not None
    assert rights.write == [world.folder]
    assert {Path("/data"), Path(sys.prefix), Path("/usr"), ROOT / "training"} <= {*rights.read}
    for private in (ROOT, Path("/"), Path("/root"), Path("/home"), Path("/proc"), Path("/etc"), Path("/tmp")):
        assert private not in rights.read
    assert (rights.memory, rights.file_size, rights.open_files, rights.cpu_time) == (1, 2, 3, None)


def test_a_process_whose_parent_has_ended_does_nothing(world: World) -> None:
    assert world.begin(parent=os.getppid() + 1) == []
    assert world.status == 1
    assert world.steps == ["follow"]


@pytest.mark.parametrize(
    ("code", "more", "reason"),
    [
        ("\n1 / 0", {}, "line 2 of the code: ZeroDivisionError: division by zero"),
        ("result = object()", {}, "the code: TypeError: Object of type object is not JSON serializable"),
        ("", {"task": "tests.no_such_task"}, "the code: ModuleNotFoundError: No module named 'tests.no_such"),
        ("", {"request": {}}, "the code: KeyError: 'imports'"),
    ],
    ids=["code", "result", "task", "request"],
)
def test_an_error_is_reported(world: World, code: str, more: dict[str, Any], reason: str) -> None:
    last = world.begin(code, **more)[-1]

    assert last["kind"] == "error"
    assert last["value"].startswith(reason)
    assert world.status == 0
