import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.parts import wait_for
from training.runners import process, record
from training.runners.process import ProcessRunner
from training.runners.runner import Run, RunnerError

pytestmark = pytest.mark.parts

MODULE = "tests.training.runners.waiter"
LIMIT = 60.0  # s


class World:
    """A folder with runs, and what becomes of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ended = list[tuple[str, int | None, int]]()
        self.again = False
        self.runners = list[ProcessRunner]()
        self.runner = self.restarted()

    def restarted(self, most: int = 1) -> ProcessRunner:
        """Return another runner on the same folder."""
        self.runner = ProcessRunner(self.folder / "runs", most, {"SECRET"}, self._ended)
        self.runners.append(self.runner)
        return self.runner

    def start(self, name: str, **variables: str) -> None:
        """Start a run."""
        own = self.folder / name
        own.mkdir(exist_ok=True)
        self.runner.start(Run(name, MODULE, {"FOLDER": str(own), **variables}))

    def has_started(self, name: str) -> bool:
        """Return whether a run has begun."""
        self.runner.look()
        return (self.folder / name / "started").exists()

    def end(self, name: str, status: int = 0) -> None:
        """Let a run end with a status."""
        new = self.folder / name / "end.new"
        new.write_text(str(status))
        new.rename(self.folder / name / "end")

    def wait(self, condition: Callable[[], object]) -> None:
        """Look until something is so."""

        def looked() -> object:
            self.runner.look()
            return condition()

        wait_for(looked, LIMIT, "the runs")

    def reap(self, name: str) -> int:
        """Return the exit status of a run: this process has started it, unlike a restarted service."""
        return self.runners[0]._children.pop(name).wait()

    def close(self) -> None:
        """Kill what still runs."""
        for each in self.runners:
            for child in each._children.values():
                child.kill()
                child.wait()

    def pid(self, name: str) -> int:
        """Return the number of a run's process."""
        found = next(each for each in record.records(self.folder / "runs") if each.run.name == name)
        assert found.pid is not None
        return found.pid

    def _ended(self, name: str, status: int | None, starts: int) -> bool:
        self.ended.append((name, status, starts))
        again, self.again = self.again, False
        return again


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("SECRET", "of the service")
    found = World(tmp_path)
    yield found
    found.close()


def test_runs_wait_for_their_turn_and_keep_their_logs(world: World) -> None:
    world.start("a")
    world.start("b")
    world.wait(lambda: world.has_started("a"))
    assert not world.has_started("b")
    assert world.runner.names() == {"a", "b"}

    world.end("a")
    world.wait(lambda: world.has_started("b"))
    world.end("b", 3)
    world.wait(lambda: not world.runner.names())

    assert world.ended == [("a", 0, 1), ("b", 3, 1)]
    assert world.runner.log("a") == "started without a secret\n"
    assert [*record.records(world.folder / "runs")] == []


def test_what_a_run_keeps_is_there_when_it_is_started_again_and_gone_once_it_has_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_LONGEST_BREAK", 0.0)
    work = world.folder / "runs/a/work"
    world.start("a")
    world.wait(lambda: world.has_started("a"))
    work.mkdir()
    (work / "checkpoint").touch()
    (world.folder / "a/started").unlink()
    world.again = True

    os.kill(world.pid("a"), signal.SIGKILL)
    world.wait(lambda: world.has_started("a"))
    assert (work / "checkpoint").exists()

    world.runner.stop("a")
    world.wait(lambda: world.runner.log("a") and not work.exists())


def test_a_run_has_a_folder_of_its_own(world: World) -> None:
    world.start("a")
    world.wait(lambda: (world.folder / "a/started").exists() and (world.folder / "a/started").read_text())

    assert (world.folder / "a/started").read_text() == str(world.folder / "runs/a/work")


def test_a_run_finds_nothing_of_another_with_its_name(world: World) -> None:
    work = world.folder / "runs/a/work"
    work.mkdir(parents=True)
    (work / "checkpoint").touch()
    world.start("a")

    assert not work.exists()


def test_runs_that_do_not_queue_start_at_once(world: World) -> None:
    world.start("a")
    (world.folder / "b").mkdir()
    world.runner.start(Run("b", MODULE, {"FOLDER": str(world.folder / "b")}, queues=False))

    world.wait(lambda: world.has_started("a") and world.has_started("b"))


def test_a_run_that_is_killed_is_started_again_if_that_is_decided(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_LONGEST_BREAK", 0.0)
    world.start("a")
    world.wait(lambda: world.has_started("a"))
    (world.folder / "a/started").unlink()
    world.again = True

    os.kill(world.pid("a"), signal.SIGKILL)
    world.wait(lambda: world.has_started("a"))

    assert world.ended == [("a", -signal.SIGKILL, 1)]
    assert world.runner.log("a") == 2 * "started without a secret\n"


def test_a_restarted_service_finds_what_runs_and_what_waits(world: World) -> None:
    world.start("a")
    world.start("b")
    world.wait(lambda: world.has_started("a"))
    pid = world.pid("a")

    world.restarted()
    assert world.runner.names() == {"a", "b"}
    assert world.pid("a") == pid
    assert not world.has_started("b")
    world.end("a")
    world.reap("a")
    world.wait(lambda: world.has_started("b"))

    assert world.ended == [("a", None, 1)]


def test_a_restarted_service_stops_what_runs(world: World) -> None:
    world.start("a")
    world.wait(lambda: world.has_started("a"))

    world.restarted().stop("a")

    assert world.reap("a") == -signal.SIGTERM
    world.wait(lambda: not [*record.records(world.folder / "runs")])
    assert world.ended == []


def test_a_run_that_waits_is_stopped(world: World) -> None:
    world.start("a")
    world.start("b")

    world.runner.stop("b")
    world.runner.stop("unknown")

    assert world.runner.names() == {"a"}


def test_a_run_that_ignores_sigterm_is_killed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_GRACE", 0.0)
    world.start("a", STUBBORN="1")
    world.wait(lambda: world.has_started("a"))

    world.runner.stop("a")
    assert world.runner.names() == set()
    world.wait(lambda: not [*record.records(world.folder / "runs")])

    assert world.ended == []


def test_a_forgotten_run_is_killed_and_leaves_nothing(world: World) -> None:
    world.start("a", STUBBORN="1")
    world.wait(lambda: world.has_started("a"))

    world.runner.forget("a")

    assert world.runner.log("a") == ""
    assert not (world.folder / "runs/a").exists()
    world.wait(lambda: not world.runner._children)


def test_of_a_long_log_the_end_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "_LOGGED", 1000)
    monkeypatch.setattr(record, "_SHOWN", 100)
    world.start("a")
    world.wait(lambda: world.has_started("a"))
    with (world.folder / "runs/a/log").open("a") as log:
        log.write("x" * 2000 + "the end")

    world.runner.look()

    assert world.runner.log("a").endswith("the end")
    assert (world.folder / "runs/a/log").stat().st_size < 300


def test_what_cannot_be_started(world: World) -> None:
    world.start("a")

    for run, reason in (
        (Run("a", MODULE, {}), "runs already"),
        (Run("../a", MODULE, {}), "cannot be the name"),
    ):
        with pytest.raises(RunnerError, match=reason):
            world.runner.start(run)
    (world.folder / "runs/b").touch()
    with pytest.raises(RunnerError, match="cannot be written"):
        world.runner.start(Run("b", MODULE, {}))


def test_a_record_that_cannot_be_read_is_passed_over(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.start("a")
    world.wait(lambda: world.has_started("a"))
    (world.folder / "runs/b").mkdir()
    (world.folder / "runs/b/run.json").write_text("{")

    world.restarted()

    assert world.runner.names() == {"a"}
    assert "cannot be read" in caplog.text
