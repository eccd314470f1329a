"""What a process asks the system for; the system is a stand-in."""

import os
from pathlib import Path

import pytest

from pipeline.service import niceness
from tests.clock import Clock
from tests.niceness import LOWEST


class System:
    """Keeps what a process asks for. The file of its session refuses so many writes at first."""

    def __init__(self, refusals: list[OSError]) -> None:
        self.nice = 0
        self.policy = os.SCHED_OTHER
        self.session = 0
        self.may_be_batch = True
        self._refusals = iter(refusals)

    def setpriority(self, which: int, who: int, nice: int) -> None:
        assert (which, who) == (os.PRIO_PROCESS, 0)
        self.nice = nice

    def getpriority(self, *_: int) -> int:
        return self.nice

    def sched_setscheduler(self, pid: int, policy: int, _: object) -> None:
        assert pid == 0
        if not self.may_be_batch:
            raise PermissionError
        self.policy = policy

    def write_text(self, text: str) -> None:
        for refusal in self._refusals:
            raise refusal
        self.session = int(text)


@pytest.fixture
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> System:
    found = System(getattr(request, "param", []))
    for name in ("setpriority", "getpriority", "sched_setscheduler"):
        monkeypatch.setattr(os, name, getattr(found, name))
    monkeypatch.setattr(niceness, "_SESSION", found)
    monkeypatch.setattr(niceness, "time", Clock())
    return found


def test_everything_else_has_priority_over_a_process_that_steps_back(system: System) -> None:
    niceness.step_back()

    assert (system.nice, system.policy) == LOWEST
    assert system.session == 19


def test_a_process_may_step_back_less_far_but_not_forward(system: System) -> None:
    niceness.step_back(10)
    assert (system.nice, system.policy, system.session) == (10, os.SCHED_BATCH, 10)

    niceness.step_back(5)
    assert (system.nice, system.session) == (10, 10)


def test_a_system_that_has_no_such_policy_has_the_niceness(system: System) -> None:
    system.may_be_batch = False

    niceness.step_back()

    assert (system.nice, system.policy, system.session) == (19, os.SCHED_OTHER, 19)


def test_a_process_that_is_not_nice_changes_nothing(system: System) -> None:
    system.session = 7

    niceness.spread()

    assert system.session == 7


@pytest.mark.parametrize(
    ("system", "session"),
    [(9 * [BlockingIOError()], 19), (10 * [BlockingIOError()], 0), ([FileNotFoundError()], 0)],
    ids=["busy", "busy for too long", "not on this system"],
    indirect=["system"],
)
def test_the_session_follows_where_that_is_possible(system: System, session: int) -> None:
    niceness.step_back()

    assert system.session == session


def test_the_file_is_the_one_that_linux_reads() -> None:
    assert Path("/proc/self/autogroup") == niceness._SESSION
