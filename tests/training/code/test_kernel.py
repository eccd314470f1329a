"""What the kernel is asked for when rights are given up; the kernel is a stand-in."""

import ctypes
import errno
import os
import platform
import resource
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training.code.restrict import landlock, privileges, resources, seccomp, syscalls

PRCTL, NO_NEW_PRIVILEGES, SECCOMP, DEATH_SIGNAL = "prctl", 38, 22, 1
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
CAPSET, UNSHARE = 126, 272  # on x86-64


class Kernel:
    """Keeps what it is asked for, and refuses the calls in `refused` with their errors."""

    def __init__(self) -> None:
        self.asked = list[tuple[Any, ...]]()
        self.refused = dict[Any, int]()
        self.version = 6  # of Landlock
        self.rules = dict[Path, int]()
        self.handled = (0, 0, 0)
        self.length = 0
        self.program = b""

    def syscall(self, number: ctypes.c_long, *words: Any) -> int:
        arguments = [word.value if isinstance(word, ctypes.c_ulong) else word for word in words]
        self.asked.append((number.value, *arguments))
        return self._answer(number.value, lambda: self._landlock(number.value, arguments))

    def prctl(self, option: ctypes.c_int, *words: Any) -> int:
        arguments = [word.value if isinstance(word, ctypes.c_ulong) else word for word in words]
        self.asked.append((PRCTL, option.value, *arguments))
        if option.value == SECCOMP:
            reference: Any = arguments[1]
            filled = reference._obj
            place = ctypes.c_void_p.from_buffer(filled, type(filled).instructions.offset)
            self.program = ctypes.string_at(place.value or 0, filled.length * 8)
        return self._answer((PRCTL, option.value), lambda: 0)

    def options(self) -> list[int]:
        """Return the options of prctl that were set."""
        return [each[1] for each in self.asked if each[0] == PRCTL]

    def _answer(self, call: Any, answer: Callable[[], int]) -> int:
        if call not in self.refused:
            return answer()
        ctypes.set_errno(self.refused[call])
        return -1

    def _landlock(self, number: int, arguments: list[Any]) -> int:
        if number == LANDLOCK_CREATE and arguments[0] is None:
            return self.version
        if number == LANDLOCK_CREATE:
            given = arguments[0]._obj
            self.handled, self.length = (given.files, given.network, given.scoped), arguments[1]
            return os.open(os.devnull, os.O_RDONLY)
        if number == LANDLOCK_ADD:
            rule = arguments[2]._obj
            assert stat.S_ISCHR(os.fstat(arguments[0]).st_mode), "the ruleset is open"
            self.rules[Path(os.readlink(f"/proc/self/fd/{rule.folder}"))] = rule.allowed
        return 0


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    found = Kernel()
    monkeypatch.setattr(syscalls, "_library", lambda: found)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return found


def test_a_refusal_of_the_kernel_has_its_reason(kernel: Kernel) -> None:
    kernel.refused = {7: errno.ENOSYS, (PRCTL, 8): errno.EINVAL}

    with pytest.raises(OSError, match="a call: Function not implemented") as error:
        syscalls.system_call("a call", 7)
    assert error.value.errno == errno.ENOSYS
    with pytest.raises(OSError, match="an option: Invalid argument"):
        syscalls.control("an option", 8, 1)

    assert kernel.asked == [(7,), (PRCTL, 8, 1, 0, 0, 0)]


def test_the_c_library_is_there() -> None:
    assert syscalls.system_call("the number of this process", 39 if is_x86() else 172) == os.getpid()


def is_x86() -> bool:
    return platform.machine() == "x86_64"


@pytest.mark.parametrize("system", [("darwin", 2**63), ("linux", 2**31 - 1)], ids=["macOS", "32 bits"])
def test_other_systems_have_no_such_calls(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, system: tuple[str, int]
) -> None:
    monkeypatch.setattr(sys, "platform", system[0])
    monkeypatch.setattr(sys, "maxsize", system[1])

    assert syscalls.machine() == ""
    privileges.end_with_parent()
    assert kernel.asked == []


@pytest.mark.parametrize("user", [0, 1000], ids=["root", "another"])
def test_all_capabilities_are_given_up_after_the_network(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)

    privileges.drop()

    assert kernel.options() == [NO_NEW_PRIVILEGES]
    calls = [each for each in kernel.asked if each[0] != PRCTL]
    assert [each[0] for each in calls] == ([UNSHARE, CAPSET] if user == 0 else [CAPSET])
    assert list(calls[-1][2]) == [0] * 6, "effective, permitted and inheritable: none"


def test_a_network_that_cannot_be_left_changes_nothing_else(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in most containers."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    kernel.refused = {UNSHARE: errno.EPERM}

    privileges.drop()

    assert kernel.asked[-1][0] == CAPSET


def test_capabilities_that_cannot_be_given_up_are_a_lack(kernel: Kernel) -> None:
    kernel.refused = {CAPSET: errno.EPERM}

    with pytest.raises(OSError, match="capabilities: Operation not permitted"):
        privileges.drop()


def test_the_process_ends_with_its_parent(kernel: Kernel) -> None:
    privileges.end_with_parent()

    assert kernel.asked == [(PRCTL, DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)]


def test_the_filter_is_installed_whole(kernel: Kernel) -> None:
    seccomp.restrict()

    assert kernel.options() == [NO_NEW_PRIVILEGES, SECCOMP]
    assert kernel.program == seccomp.program_for("x86_64", os.getpid())


READ, WRITE, LIST, MAKE, RUN = 1 << 2, 1 << 1, 1 << 3, 1 << 8, 1


def test_files_are_allowed_and_nothing_else(kernel: Kernel, tmp_path: Path) -> None:
    """What may be read cannot be written, and nothing can be run."""
    data, work, file = tmp_path / "data", tmp_path / "work", tmp_path / "file"
    data.mkdir()
    work.mkdir()
    file.touch()

    landlock.restrict([data, file, tmp_path / "missing"], [work])

    assert kernel.rules == {
        data: READ | LIST,
        file: READ,
        Path("/dev/null"): READ | WRITE,
        work: kernel.rules[work],
    }
    assert kernel.rules[work] & (READ | WRITE | LIST | MAKE) == READ | WRITE | LIST | MAKE
    assert not any(allowed & RUN for allowed in kernel.rules.values())
    assert kernel.handled[0] & RUN, "it is denied, and not just unknown"
    assert kernel.options() == [NO_NEW_PRIVILEGES]
    assert kernel.asked[-1][0] == LANDLOCK_RESTRICT
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(kernel.asked[-1][1])


@pytest.mark.parametrize(
    ("version", "handled", "length"),
    [
        (1, (2**13 - 1, 0, 0), 8),
        (2, (2**14 - 1, 0, 0), 8),
        (3, (2**15 - 1, 0, 0), 8),
        (4, (2**15 - 1, 3, 0), 16),
        (5, (2**16 - 1, 3, 0), 16),
        (6, (2**16 - 1, 3, 3), 24),
    ],
    ids=range(1, 7),
)
def test_each_version_of_the_kernel_denies_what_it_knows(
    kernel: Kernel, tmp_path: Path, version: int, handled: tuple[int, int, int], length: int
) -> None:
    """Files, the network, signals."""
    kernel.version = version

    landlock.restrict([], [tmp_path])

    assert (kernel.handled, kernel.length) == (handled, length)
    assert kernel.rules[tmp_path] <= handled[0], "rules name only what is handled"


@pytest.mark.parametrize("call", [LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT], ids=str)
def test_a_kernel_without_landlock_is_a_lack(kernel: Kernel, tmp_path: Path, call: int) -> None:
    kernel.refused = {call: errno.EOPNOTSUPP}
    before = os.listdir("/proc/self/fd")

    with pytest.raises(OSError, match=r"Landlock.*: Operation not supported"):
        landlock.restrict([tmp_path], [])

    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_gpus_may_be_used_where_the_process_was_given_some(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gpu = tmp_path / "nvidia0"
    gpu.touch()
    glob = Path.glob

    def devices(folder: Path, pattern: str) -> Any:
        return [gpu] if (folder, pattern) == (Path("/dev"), "nvidia*") else glob(folder, pattern)

    monkeypatch.setattr(Path, "glob", devices)
    landlock.restrict([], [])
    assert gpu not in kernel.rules

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    landlock.restrict([], [])

    assert kernel.rules[gpu] & (READ | WRITE | 1 << 15) == READ | WRITE | 1 << 15


def test_limits_are_set_and_never_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that this process has already, such as of open files, stays where it is lower."""
    found = dict[int, tuple[int, int]]()
    given = {resource.RLIMIT_NOFILE: 100, resource.RLIMIT_CPU: 12}
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (0, given.get(kind, resource.RLIM_INFINITY)))
    monkeypatch.setattr(resource, "setrlimit", found.__setitem__)

    resources.limit(memory=1000, file_size=2000, open_files=256, cpu_time=10)

    assert found == {
        resource.RLIMIT_DATA: (1000, 1000),
        resource.RLIMIT_FSIZE: (2000, 2000),
        resource.RLIMIT_NOFILE: (100, 100),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_MEMLOCK: (0, 0),
        resource.RLIMIT_CPU: (10, 12),
    }

    found.clear()
    resources.limit(memory=1, file_size=2, open_files=3, cpu_time=None)
    assert resource.RLIMIT_CPU not in found
