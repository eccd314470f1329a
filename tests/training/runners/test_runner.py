"""Which run starts when, and what becomes of it; the processes are stand-ins, their locks are real."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clock import Clock
from training.runners import process, record
from training.runners.process import ProcessRunner
from training.runners.runner import Run, RunnerError

MODULE = "tests.training.runners.waiter"


class FakeChild:
    """A process: it holds the lock that it was given until it ends."""

    def __init__(self, pid: int, options: dict[str, Any], *, is_niced: bool) -> None:
        self.pid = pid
        self.environment: dict[str, str] = options["env"]
        self.is_niced = is_niced
        self.status: int | None = None
        self._lock = os.dup(options["pass_fds"][0])
        self._log = os.dup(options["stdout"])

    def print(self, text: str) -> None:
        os.write(self._log, text.encode())

    def end(self, status: int) -> None:
        if self.status is None:
            self.status = status
            os.close(self._lock)
            os.close(self._log)

    def poll(self) -> int | None:
        return self.status

    def wait(self) -> int:
        assert self.status is not None
        return self.status


class Machine:
    """Starts and signals processes. Those in `stubborn` ignore SIGTERM."""

    def __init__(self) -> None:
        self.children = list[FakeChild]()
        self.stubborn = set[int]()

    def popen(self, command: list[str], **options: Any) -> FakeChild:
        is_niced = command[1:] == ["-m", "training.runners.niced", MODULE]
        assert is_niced or command[1:] == ["-m", MODULE]
        assert options["start_new_session"]
        pid = 2**22 + len(self.children) + 1
        self.children.append(FakeChild(pid, options, is_niced=is_niced))
        return self.children[-1]

    def killpg(self, group: int, number: int) -> None:
        (child,) = (each for each in self.children if each.pid == group)
        if child.status is not None:
            raise ProcessLookupError
        if number == signal.SIGKILL or group not in self.stubborn:
            child.end(-number)


class World:
    """A folder with runs, and what becomes of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.machine = Machine()
        self.clock = Clock()
        self.ended = list[tuple[str, int | None, int]]()
        self.again = False
        self.restart()

    def restart(self, most: int = 1, *, ends: bool = False) -> None:
        """Use another runner on the same folder."""
        self.runner = ProcessRunner(self.folder, most, {"SECRET"}, self._ended, ends=ends)

    def start(self, name: str, *, queues: bool = True) -> None:
        self.runner.start(Run(name, MODULE, {"NAME": name}, queues))

    def running(self) -> list[str]:
        """Return the names of the runs whose processes run, in the order of their start."""
        return [each.environment["NAME"] for each in self.machine.children if each.status is None]

    def end(self, name: str, status: int = 0) -> None:
        """Let a process end with a status."""
        (child,) = (
            each for each in self.machine.children if each.status is None and each.environment["NAME"] == name
        )
        child.end(status)
        self.runner.look()

    def kept(self) -> list[str]:
        """Return the names of the runs that a restarted service would find."""
        return [each.run.name for each in record.records(self.folder)]

    def _ended(self, name: str, status: int | None, starts: int) -> bool:
        self.ended.append((name, status, starts))
        return self.again


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    found = World(tmp_path / "runs")
    monkeypatch.setattr(subprocess, "Popen", found.machine.popen)
    monkeypatch.setattr(os, "killpg", found.machine.killpg)
    monkeypatch.setattr(process, "time", found.clock)
    yield found
    for child in found.machine.children:
        child.end(0)


def test_runs_wait_for_their_turn(world: World) -> None:
    for name in ("b", "a", "c"):
        world.start(name)
    assert (world.running(), world.runner.names()) == (["b"], {"a", "b", "c"})

    world.end("b")
    assert world.running() == ["a"]
    world.end("a", 3)
    world.end("c")

    assert world.ended == [("b", 0, 1), ("a", 3, 1), ("c", 0, 1)]
    assert (world.running(), world.runner.names(), world.kept()) == ([], set(), [])


def test_so_many_run_at_a_time_and_others_do_not_count(world: World) -> None:
    world.restart(most=2)
    world.start("inference", queues=False)
    for name in ("a", "b", "c"):
        world.start(name)
    world.start("another", queues=False)

    assert world.running() == ["inference", "a", "b", "another"]


def waiting(world: World) -> list[tuple[str, str, list[str]]]:
    """Return the queue."""
    return [(each.name, each.why, [*each.behind]) for each in world.runner.waiting()]


def test_the_queue_says_what_each_run_waits_for(world: World) -> None:
    world.restart(most=2)
    for name in ("d", "b", "c", "a"):
        world.start(name)
    world.start("inference", queues=False)

    expected = [("c", "MAXRUNS=2", ["d", "b"]), ("a", "MAXRUNS=2", ["c"])]
    assert waiting(world) == expected
    world.restart(most=2)
    assert waiting(world) == expected, "after a restart of the service"


def test_the_order_is_kept_whoever_leaves_the_queue(world: World) -> None:
    for name in ("a", "b", "c", "d"):
        world.start(name)

    world.runner.stop("b")
    assert [name for name, _, _ in waiting(world)] == ["c", "d"]
    world.runner.forget("c")
    assert waiting(world) == [("d", "MAXRUNS=1", ["a"])]
    world.runner.stop("a")
    world.runner.look()

    assert (world.running(), waiting(world)) == (["d"], [])


def test_a_run_that_is_started_again_waits_for_a_moment_at_its_place(world: World) -> None:
    world.start("a")
    world.again = True

    world.end("a", 1)

    assert waiting(world) == [("a", "it is started in a moment", [])]


def test_everything_has_priority_over_those_that_queue(world: World) -> None:
    world.start("inference", queues=False)
    world.start("training")

    assert [each.is_niced for each in world.machine.children] == [False, True]


@pytest.mark.parametrize(("processors", "most", "threads"), [(8, 1, "8"), (8, 3, "2"), (2, 4, "1")])
def test_runs_share_the_processors(
    world: World, monkeypatch: pytest.MonkeyPatch, processors: int, most: int, threads: str
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {*range(processors)})
    world.restart(most)

    world.start("inference", queues=False)
    world.start("training")

    inference, training = world.machine.children
    assert "JOBTHREADS" not in inference.environment
    assert training.environment["JOBTHREADS"] == threads


def test_where_a_run_should_be_is_ignored_with_a_note(world: World) -> None:
    gpus = {"key": "gpus", "operator": "Exists"}
    world.start("a")
    world.runner.start(Run("b", MODULE, {}, node_selector={"disk": "ssd"}))
    world.runner.start(Run("c", MODULE, {}, tolerations=[gpus]))
    note = "(node_selector and tolerations are ignored: RUNNER=process runs everything on this machine)\n"

    assert [world.runner.log(name) for name in ("a", "b", "c")] == ["", note, note]
    kept = {each.run.name: each.run for each in record.records(world.folder)}
    assert (kept["b"].node_selector, kept["c"].tolerations) == ({"disk": "ssd"}, [gpus])


def test_a_run_gets_its_variables_and_no_private_ones(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "s")
    monkeypatch.setenv("secret", "s")
    monkeypatch.setenv("SHARED", "yes")

    world.start("a")

    variables = world.machine.children[0].environment
    assert variables["NAME"] == "a"
    assert variables["SHARED"] == "yes"
    assert not {"SECRET", "secret"} & variables.keys()


def test_a_run_that_is_started_again_waits_longer_each_time(world: World) -> None:
    world.start("a")
    world.again = True
    breaks = list[float]()

    for _ in range(9):
        world.end("a", 1)
        begin = world.clock.now
        while not world.running():
            world.runner.step()
        breaks.append(world.clock.now - begin)

    assert breaks == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert world.ended[-1] == ("a", 1, 9)


def test_a_run_that_waits_to_be_started_again_leaves_its_turn_to_others(world: World) -> None:
    world.start("a")
    world.start("b")
    world.again = True

    world.end("a", 1)

    assert world.running() == ["b"]
    assert world.runner.names() == {"a", "b"}


def test_a_restarted_service_finds_what_runs_and_what_waits(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.start("a")
    world.start("b")

    with caplog.at_level("INFO"):
        world.restart()
    world.runner.look()
    assert "found a: it runs" in caplog.text
    assert "found b: it does not run" in caplog.text
    assert (world.running(), world.runner.names()) == (["a"], {"a", "b"})

    world.end("a", 7)
    assert world.ended == [("a", None, 1)], "its status belongs to the service that has started it"
    assert world.running() == ["b"]
    world.start("c")
    assert world.running() == ["b"]


def test_a_process_whose_number_is_not_known_is_waited_for(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The service was killed right after it had started the process."""
    world.start("a")
    (found,) = record.records(world.folder)
    found.changed(pid=None, starts=0)

    world.restart()
    world.runner.look()
    assert len(world.machine.children) == 1
    assert "its process is not known: waiting until it ends" in caplog.text

    world.machine.children[0].end(0)
    world.runner.look()
    assert len(world.machine.children) == 2


def test_a_stopped_run_ends_without_being_started_again(world: World) -> None:
    world.again = True
    world.start("a")
    world.start("b")

    world.runner.stop("a")
    world.runner.stop("a")
    assert world.machine.children[0].status == -signal.SIGTERM
    assert world.runner.names() == {"b"}
    world.runner.look()

    assert world.ended == []
    assert world.running() == ["b"]


def test_a_run_that_waits_is_stopped_at_once(world: World) -> None:
    world.start("a")
    world.start("b")

    world.runner.stop("b")
    world.runner.stop("unknown")

    assert (world.runner.names(), world.kept()) == ({"a"}, ["a"])


def test_a_run_that_ignores_sigterm_is_killed_after_ten_seconds(world: World) -> None:
    world.start("a")
    world.machine.stubborn.add(world.machine.children[0].pid)

    world.runner.stop("a")
    world.clock.now += 9.9
    world.runner.look()
    assert world.running() == ["a"]
    world.clock.now += 0.2
    world.runner.look()

    assert world.machine.children[0].status == -signal.SIGKILL
    world.runner.look()
    assert world.kept() == []


def test_a_process_that_ends_meanwhile_is_not_signalled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: int) -> None:
        raise ProcessLookupError

    world.start("a")
    monkeypatch.setattr(os, "killpg", gone)

    world.runner.stop("a")

    assert world.running() == ["a"]


def test_a_run_that_is_stopped_while_its_end_is_decided_stays_stopped(world: World) -> None:
    def stop(name: str, status: int | None, starts: int) -> bool:
        world.runner.stop(name)
        world.ended.append((name, status, starts))
        return True

    world.runner = ProcessRunner(world.folder, 1, set(), stop)
    world.start("a")

    world.end("a", 1)

    assert world.ended == [("a", 1, 1)]
    assert world.runner.names() == set()


def test_a_run_that_is_forgotten_while_its_end_is_decided_stays_forgotten(world: World) -> None:
    def forget(name: str, _: int | None, __: int) -> bool:
        world.runner.forget(name)
        return True

    world.runner = ProcessRunner(world.folder, 1, set(), forget)
    world.start("a")

    world.end("a", 1)

    assert (world.runner.names(), world.kept(), world.running()) == (set(), [], [])


def test_a_forgotten_run_is_killed_and_leaves_nothing(world: World) -> None:
    world.start("a")
    world.start("b")
    world.machine.stubborn.add(world.machine.children[0].pid)

    world.runner.forget("a")
    world.runner.forget("b")
    world.runner.forget("unknown")
    world.runner.forget("../unknown")
    world.runner.look()

    assert world.machine.children[0].status == -signal.SIGKILL
    assert world.runner._children == {}
    assert [*world.folder.iterdir()] == []


def test_logs_are_kept_until_the_run_is_forgotten(world: World) -> None:
    world.start("a")
    world.machine.children[0].print("é: begun\n")
    world.end("a")
    world.start("a")
    world.machine.children[1].print("again\n")

    assert world.runner.log("a") == "é: begun\nagain\n"
    world.runner.forget("a")
    assert world.runner.log("a") == world.runner.log("../a") == ""


def test_of_a_long_log_the_end_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "_LOGGED", 1000)
    monkeypatch.setattr(record, "_SHOWN", 100)
    world.start("a")
    world.machine.children[0].print("x" * 2000 + "the end, ")

    world.runner.look()
    world.machine.children[0].print("and more")

    assert world.runner.log("a").endswith("xthe end, and more")
    assert (world.folder / "a/log").stat().st_size < 300


def test_a_run_with_other_variables_is_started_again_and_keeps_its_folder(world: World) -> None:
    world.again = True
    world.start("a")
    world.start("b")
    (world.folder / "a/work").mkdir()
    for name in ("a", "b", "unknown"):
        world.runner.renew(name, {"NAME": f"new {name}"})
    world.runner.look()

    assert world.running() == ["new a"]
    assert (world.folder / "a/work").exists()
    world.again = False
    world.end("new a")
    assert not (world.folder / "a/work").exists()
    assert world.running() == ["new b"]


def test_a_run_with_the_same_variables_goes_on(world: World) -> None:
    world.start("a")
    world.runner.renew("a", {"NAME": "a"})

    assert world.running() == ["a"]


def test_runs_outlive_the_service_or_end_with_it_and_go_on_with_the_next_one(world: World) -> None:
    world.start("a")
    world.runner.close()
    assert world.running() == ["a"]

    world.restart(2, ends=True)
    world.start("b")
    world.start("c")
    (world.folder / "b/work").mkdir()
    world.machine.stubborn.add(world.machine.children[-1].pid)
    world.runner.stop("a")
    world.runner.close()
    assert world.running() == []
    assert sorted(world.kept()) == ["b", "c"]
    assert (world.folder / "b/work").exists()

    world.restart(2)
    world.runner.look()
    assert sorted(world.running()) == ["b", "c"]


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (Run("a", MODULE, {}), "a runs already"),
        (Run("../a", MODULE, {}), "'../a' cannot be the name of a run: use a-z, 0-9 and -"),
        (Run("", MODULE, {}), "cannot be the name"),
        (Run("taken", MODULE, {}), "taken cannot be written: "),
    ],
    ids=["twice", "path", "empty", "file"],
)
def test_what_cannot_be_started(world: World, run: Run, reason: str) -> None:
    world.start("a")
    (world.folder / "taken").touch()

    with pytest.raises(RunnerError, match=reason):
        world.runner.start(run)

    assert world.runner.names() == {"a"}


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"run": {}, "number": 1}', '{"run": 7}'])
def test_a_record_that_cannot_be_read_is_passed_over(
    world: World, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    world.start("a")
    (world.folder / "b").mkdir()
    (world.folder / "b/run.json").write_text(content)

    world.restart()

    assert world.runner.names() == {"a"}
    assert "b/run.json cannot be read, so this run is unknown" in caplog.text


def test_nobody_else_can_read_a_record(world: World) -> None:
    """Its variables may contain passwords."""
    world.start("a")

    assert (world.folder / "a").stat().st_mode & 0o777 == 0o700
    assert (world.folder / "a/run.json").stat().st_mode & 0o777 == 0o600
