"""A restricted process is heard, and ended beyond its limits; here it is a stand-in."""

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clock import Clock
from tests.training.code.fakes import FakeProcess
from training.code import supervise
from training.code.limits import MIB, Limits
from training.code.program import CodeError
from training.code.supervise import Child, StoppedError
from training.code.watch import Usage

STACK = b'Stack (most recent call first):\n  File "<code>", line 3 in h\n'


class World:
    """A process, its folder, and whoever watches over it."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.process = FakeProcess(self.clock)
        self.folder = folder
        self.noted = list[dict[str, Any]]()
        self.stop = threading.Event()

    def answer(self, on_progress: Callable[[dict[str, Any]], None] | None = None, **limits: Any) -> Any:
        child = Child(
            self.process,  # type: ignore[arg-type]
            self.folder,
            Limits(**limits),
            on_progress or self.noted.append,
        )
        try:
            return child.answer(self.stop)
        finally:
            child.end()

    def trouble(self, **limits: Any) -> str:
        with pytest.raises(CodeError) as error:
            self.answer(**limits)
        return str(error.value)

    def begin(self) -> None:
        """Report what a process reports before it runs the user's code."""
        self.process.report("restricted", [])
        self.process.report("started")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    found = World(tmp_path)
    monkeypatch.setattr(supervise, "time", found.clock)
    yield found
    assert found.process.is_killed
    assert found.process.is_closed


def test_the_result_is_returned_and_progress_passed_on(world: World) -> None:
    world.begin()
    world.process.report("progress", {"epoch": 1})
    world.process.report("progress", [1])
    world.process.report("done", [1, "é"])
    world.process.report("done", "later")

    assert world.answer() == [1, "é"]
    assert world.noted == [{"epoch": 1}]


def test_a_report_may_come_in_pieces(world: World) -> None:
    world.process.write(b'{"kind": "do')
    threading.Timer(0.1, world.process.write, (b'ne", "value": 5}\n',)).start()

    assert world.answer() == 5


def test_an_error_is_the_reason(world: World) -> None:
    world.process.report("error", "line 1 of the code: KeyError: 1")

    assert world.trouble() == "line 1 of the code: KeyError: 1"


def test_what_is_no_report_is_passed_over(world: World) -> None:
    world.process.write(b"not JSON\n[1]\n" + b"[" * 3_000 + b'\n\xff\n{"value": 1}\n{"kind": {}}\n')
    world.process.report("done", 1)

    assert world.answer() == 1


def test_a_reason_of_whoever_takes_the_progress_ends_it(world: World) -> None:
    def refuse(_: dict[str, Any]) -> None:
        raise CodeError("the code: it wrote into the report of its own process")

    world.process.report("progress", {"metrics": {"train_metrics": 7}})
    world.process.report("done", 1)

    with pytest.raises(CodeError, match="it wrote into the report"):
        world.answer(refuse)


def test_what_the_system_lacks_is_logged_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.process.report("restricted", ["a filter: not there"])
    world.process.report("restricted", ["of the user's"])
    world.process.report("done")

    with caplog.at_level(logging.WARNING):
        assert world.answer() is None

    assert "fewer restrictions here: a filter: not there" in caplog.text
    assert "of the user's" not in caplog.text


def test_a_process_that_ends_has_a_cause(world: World) -> None:
    world.begin()
    world.process.print(b"first\nlast words\n")
    world.process.end(7)

    assert world.trouble() == (
        "the code: it ended its process (exit status 7) before there was a result; last words"
    )


def test_a_result_counts_even_if_the_process_has_ended(world: World) -> None:
    world.process.report("done", 3)
    world.process.end(1)

    assert world.answer() == 3


def test_it_can_be_stopped(world: World) -> None:
    world.stop.set()

    with pytest.raises(StoppedError):
        world.answer()


def test_a_framework_that_does_not_start_is_the_machines_fault(world: World) -> None:
    assert world.trouble(start=10) == ("the framework did not start within 10 s: the machine is too busy")


def test_the_time_counts_from_the_start_of_the_framework(world: World) -> None:
    world.clock.now += 100
    world.begin()
    world.process.stack = STACK

    assert world.trouble(start=10, time=5) == "line 3 of the code: it was still running after 5 s"


@pytest.mark.parametrize("is_restricted", [True, False], ids=["restricted", "not yet"])
def test_a_process_that_does_not_say_its_line_is_ended_too(world: World, *, is_restricted: bool) -> None:
    if is_restricted:
        world.process.report("restricted", [])
    world.process.report("started")

    assert world.trouble(time=5) == "the code: it was still running after 5 s"


def test_a_process_that_ends_before_it_says_its_line(world: World) -> None:
    def end() -> None:
        world.process.end(0)

    world.begin()
    world.process.print_stack = end  # type: ignore[method-assign]

    assert world.trouble(time=5) == "the code: it was still running after 5 s"


def test_closed_pipes_do_not_keep_it_running(world: World) -> None:
    world.begin()
    world.process.close_pipes()

    assert world.trouble(time=5) == "the code: it was still running after 5 s"


def test_without_a_limit_on_time_it_may_run(world: World) -> None:
    world.begin()
    threading.Timer(0.2, world.process.report, ("done", 1)).start()

    assert world.answer(time=None) == 1


def test_output_is_limited(world: World) -> None:
    world.begin()
    world.process.stack = STACK
    world.process.print(b"x" * 2000)

    assert world.trouble(output=1024) == "line 3 of the code: it printed more than 1 KiB"


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        (Usage(memory=2 * MIB, threads=1), "it used more than 1 MiB of memory"),
        (Usage(memory=0, threads=6), "it started more than 5 threads"),
    ],
    ids=["memory", "threads"],
)
def test_what_it_uses_is_limited(world: World, used: Usage, expected: str) -> None:
    world.begin()
    world.process.stack = STACK
    world.process.used = used

    assert world.trouble(memory=MIB, threads=5) == f"line 3 of the code: {expected}"


def test_what_it_writes_is_limited(world: World) -> None:
    world.begin()
    (world.folder / "file").write_bytes(bytes(2 * MIB))

    assert world.trouble(folder=MIB) == "the code: it wrote more than 1 MiB"


def test_files_that_it_has_deleted_count(world: World) -> None:
    world.begin()
    world.process.deleted = 2 * MIB

    assert world.trouble(folder=MIB) == "the code: it wrote more than 1 MiB"


def test_the_number_of_its_files_is_limited(world: World) -> None:
    world.begin()
    for number in range(11):
        (world.folder / str(number)).touch()

    assert world.trouble(entries=10) == "the code: it wrote more than 10 files"


@pytest.mark.exceeds("training.code.supervise._LARGEST_REPORT")
def test_the_length_of_a_report_is_limited(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "_LARGEST_REPORT", 1024)
    world.process.write(b"x" * 2000)

    assert world.trouble() == "the code: it reported more than 1 KiB"
