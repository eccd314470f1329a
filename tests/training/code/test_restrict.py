"""What a system lacks is reported, and the rest applies."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from training.code.limits import Limits
from training.code.process import Process
from training.code.restrict import Rights, landlock, privileges, resources, restrict, seccomp
from training.code.supervise import Child

RIGHTS = Rights(read=[], write=[], memory=1, file_size=2, open_files=3, cpu_time=4)


def test_the_rest_applies_where_something_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    done = list[str]()

    def lack(*_: object) -> None:
        raise OSError("Landlock: Function not implemented")

    monkeypatch.setattr(resources, "limit", lambda *given: done.append(f"limits {given}"))
    monkeypatch.setattr(privileges, "drop", lambda: done.append("privileges"))
    monkeypatch.setattr(landlock, "restrict", lack)
    monkeypatch.setattr(seccomp, "restrict", lambda: done.append("filter"))

    assert restrict(RIGHTS) == ["Landlock: Function not implemented"]
    assert done == ["limits (1, 2, 3, 4)", "privileges", "filter"]


@pytest.mark.parametrize("name", ["", "riscv64"], ids=["other system", "other processor"])
def test_other_machines_lack_the_filter(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for module in (privileges, landlock, seccomp):
        monkeypatch.setattr(module, "machine", lambda: name)

    with pytest.raises(OSError, match="capabilities: "):
        privileges.drop()
    with pytest.raises(OSError, match="filter of system calls: unknown processor"):
        seccomp.restrict()
    if not name:
        with pytest.raises(OSError, match="Landlock: only Linux has it"):
            landlock.restrict([], [])


@pytest.mark.parts
def test_the_service_logs_what_the_system_lacks(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    reports, pipe = os.pipe()
    lines = [{"kind": "restricted", "value": ["Landlock: not there"]}, {"kind": "done", "value": 5}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    process = subprocess.Popen(
        [sys.executable, "-c", f"import os; os.write({pipe}, {text.encode()!r})"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=(pipe,),
        start_new_session=True,
    )
    os.close(pipe)
    watched = Process(process, reports)
    child = Child(watched, tmp_path, Limits(), None)
    try:
        with caplog.at_level(logging.WARNING):
            watched.ask(b"")
            assert child.answer(None) == 5
    finally:
        child.end()

    assert "fewer restrictions here: Landlock: not there" in caplog.text
