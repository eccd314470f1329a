"""A filter of system calls: no network, no processes, nothing done to other processes and to the machine.

https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

import ctypes
import errno
import os
import struct
from typing import Final

from training.code.restrict import numbers
from training.code.restrict.syscalls import (
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    PR_SET_SECCOMP,
    control,
    machine,
)

_MACHINES: Final = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Column of the tables, and the kernel's number of the processor."""

_MODE_FILTER: Final = 2
_LOAD: Final = 0x20  # a word of what the filter is given
_EQUAL: Final = 0x15
_ANY_BIT: Final = 0x45
_AT_LEAST: Final = 0x35
_RETURN: Final = 0x06
_NUMBER, _PROCESSOR, _FIRST_ARGUMENT = 0, 4, 16

_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_FAIL: Final = 0x00050000
_DENY: Final = _FAIL | errno.EPERM
_LACK: Final = _FAIL | errno.ENOSYS
_X32: Final = 0x40000000  # another set of numbers on x86-64
_CLONE_THREAD: Final = 0x00010000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def restrict() -> None:
    """Install the filter. Raises OSError where this system cannot."""
    name = machine()
    if name not in _MACHINES:
        raise OSError(f"filter of system calls: unknown processor {name or 'or system'}")
    program = program_for(name, os.getpid())
    control("no new privileges", PR_SET_NO_NEW_PRIVS, 1)
    filled = _Program(len(program) // 8, program)
    control("filter of system calls", PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(filled))


def program_for(name: str, process: int) -> bytes:
    """Return the filter for a kind of processor and a process that may signal and limit only itself."""
    column, processor = _MACHINES[name]
    code = [
        _step(_LOAD, _PROCESSOR),
        _step(_EQUAL, processor, 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
        _step(_AT_LEAST, _X32, 0, 1),
        _step(_RETURN, _KILL),
    ]
    for table, answer in ((numbers.DENIED, _DENY), (numbers.ABSENT, _LACK)):
        for columns in table.values():
            number = columns[column]
            if number is not None:
                code += [_step(_EQUAL, number, 0, 1), _step(_RETURN, answer)]
    code += _unless(numbers.CLONE[column], [_step(_ANY_BIT, _CLONE_THREAD, 1, 0)])
    for columns in (numbers.KILL, numbers.TGKILL):
        code += _unless(columns[column], [_step(_EQUAL, process, 1, 0)])
    code += _unless(numbers.PRLIMIT[column], [_step(_EQUAL, process, 2, 0), _step(_EQUAL, 0, 1, 0)])
    # Otherwise it could outlive its parent.
    code += _unless(numbers.PRCTL[column], [_step(_EQUAL, PR_SET_PDEATHSIG, 0, 1)])
    code.append(_step(_RETURN, _ALLOW))
    return b"".join(code)


def _unless(number: int, tests: list[bytes]) -> list[bytes]:
    """Deny a call unless the tests of its first argument skip the denial, which follows them."""
    body = [_step(_LOAD, _FIRST_ARGUMENT), *tests, _step(_RETURN, _DENY), _step(_RETURN, _ALLOW)]
    return [_step(_EQUAL, number, 0, len(body)), *body]


def _step(operation: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", operation, if_true, if_false, value)
