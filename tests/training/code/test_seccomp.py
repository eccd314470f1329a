"""The filter of system calls, run here by a small interpreter as the kernel would."""

import errno
import re
import struct
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import missing
from training.code.restrict import numbers
from training.code.restrict.seccomp import program_for

ALLOW: Final = 0x7FFF0000
KILL: Final = 0x80000000
DENY: Final = 0x00050000 | errno.EPERM
LACK: Final = 0x00050000 | errno.ENOSYS
PROCESSORS: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
PROCESS: Final = 1234
HEADERS: Final = {
    0: Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    1: Path("/usr/include/asm-generic/unistd.h"),
}


def answer(name: str, number: int, *arguments: int, processor: int | None = None) -> int:
    given = struct.pack(
        "<iIQ6Q",
        number if number < 2**31 else number - 2**32,
        processor or PROCESSORS[name],
        0,
        *(*arguments, 0, 0, 0, 0, 0, 0)[:6],
    )
    code = list(struct.iter_unpack("=HBBI", program_for(name, PROCESS)))
    place, word = 0, 0
    while True:
        operation, if_true, if_false, value = code[place]
        place += 1
        if operation == 0x20:
            word = struct.unpack_from("<I", given, value)[0]
        elif operation == 0x06:
            return int(value)
        else:
            test = {0x15: word == value, 0x35: word >= value, 0x45: bool(word & value)}[operation]
            place += if_true if test else if_false


@pytest.fixture(params=["x86_64", "aarch64"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_ordinary_calls_are_allowed(name: str) -> None:
    known = {
        columns[name == "aarch64"] for table in (numbers.DENIED, numbers.ABSENT) for columns in table.values()
    }
    special = {
        columns[name == "aarch64"]
        for columns in (numbers.CLONE, numbers.KILL, numbers.TGKILL, numbers.PRLIMIT, numbers.PRCTL)
    }

    assert [answer(name, number) for number in range(500) if number not in known | special] == [ALLOW] * (
        500 - len({number for number in known | special if number is not None})
    )
    for number in known - {None}:
        assert number is not None
        assert answer(name, number) in (DENY, LACK)


def test_calls_with_other_numbers_are_not_possible(name: str) -> None:
    assert answer(name, 0, processor=0x40000003) == KILL
    assert answer(name, 0x40000000 | 41) == KILL
    assert answer(name, 0xFFFFFFFF) == KILL


def test_threads_may_be_made_and_processes_may_not(name: str) -> None:
    number = numbers.CLONE[name == "aarch64"]

    assert answer(name, number, 0x003D0F00) == ALLOW  # as the C library makes threads
    assert answer(name, number, 17) == DENY  # as it forks
    assert answer(name, numbers.ABSENT["clone3"][0]) == LACK


def test_only_this_process_may_be_signalled_and_limited(name: str) -> None:
    column = name == "aarch64"

    for columns in (numbers.KILL, numbers.TGKILL):
        assert answer(name, columns[column], PROCESS) == ALLOW
        assert answer(name, columns[column], 1) == DENY
        assert answer(name, columns[column], 2**32 - 1) == DENY
        assert answer(name, columns[column], 0) == DENY
    assert answer(name, numbers.PRLIMIT[column], 0) == ALLOW
    assert answer(name, numbers.PRLIMIT[column], PROCESS) == ALLOW
    assert answer(name, numbers.PRLIMIT[column], 1) == DENY
    assert answer(name, numbers.PRCTL[column], 1) == DENY
    assert answer(name, numbers.PRCTL[column], 15) == ALLOW


@pytest.mark.outside
@pytest.mark.parametrize("column", [0, 1], ids=["x86_64", "aarch64"])
def test_the_numbers_are_those_of_the_kernels_headers(column: int) -> None:
    header = HEADERS[column]
    if not header.exists():
        missing("kernel headers", f"no {header}: apt-get install linux-libc-dev")
    text = header.read_text()
    found = {name: int(number) for name, number in re.findall(r"__NR(?:3264)?_(\w+)\s+(\d+)", text)}
    tables = {**numbers.DENIED, **numbers.ABSENT}
    ours = {name: columns[column] for name, columns in tables.items()}
    ours |= {
        "clone": numbers.CLONE[column],
        "kill": numbers.KILL[column],
        "tgkill": numbers.TGKILL[column],
        "prlimit64": numbers.PRLIMIT[column],
        "prctl": numbers.PRCTL[column],
    }

    wrong = {name: number for name, number in ours.items() if name in found and found[name] != number}
    assert wrong == {}
    assert sum(name in found for name in ours) > 70
