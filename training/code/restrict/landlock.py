"""Landlock: which files the process may open, and which processes it may signal.

https://docs.kernel.org/userspace-api/landlock.html
"""

import ctypes
import os
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from training.code.restrict.syscalls import PR_SET_NO_NEW_PRIVS, control, machine, system_call

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION: Final = 1
_BENEATH: Final = 1

_WRITE_FILE: Final = 1 << 1
_READ_FILE: Final = 1 << 2
_READ_FOLDER: Final = 1 << 3
_REMOVE_FOLDER: Final = 1 << 4
_REMOVE_FILE: Final = 1 << 5
_MAKE_FOLDER: Final = 1 << 7
_MAKE_FILE: Final = 1 << 8
_REFER: Final = 1 << 13  # since version 2, as the next since 3 and 5
_TRUNCATE: Final = 1 << 14
_IOCTL: Final = 1 << 15
_OF_FILES: Final = 1 | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL

_READ: Final = _READ_FILE | _READ_FOLDER
# Neither links nor sockets nor pipes: whoever opens the folder's files expects only files.
_WRITE: Final = (
    _READ | _WRITE_FILE | _REMOVE_FOLDER | _REMOVE_FILE | _MAKE_FOLDER | _MAKE_FILE | _REFER | _TRUNCATE
)


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def restrict(read: Sequence[Path], write: Sequence[Path]) -> None:
    """Let this process open only these files, and those in these folders. Raises OSError without Landlock.

    Paths that do not exist are skipped. Programs cannot be run, and TCP cannot be used.
    """
    if not machine():
        raise OSError("Landlock: only Linux has it")
    version = system_call("Landlock", _CREATE, None, 0, _VERSION)
    handled = _handled(version)
    ruleset = _created(version, handled)
    try:
        _allow(ruleset, read, _READ & handled)
        _allow(ruleset, [Path("/dev/null")], (_READ_FILE | _WRITE_FILE) & handled)
        _allow(ruleset, _devices(), (_READ | _WRITE_FILE | _IOCTL) & handled)
        _allow(ruleset, write, _WRITE & handled)
        control("no new privileges", PR_SET_NO_NEW_PRIVS, 1)
        system_call("Landlock", _RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)


def _handled(version: int) -> int:
    bits = 13 + (version >= 2) + (version >= 3) + (version >= 5)
    return (1 << bits) - 1


def _created(version: int, handled: int) -> int:
    ruleset = _Ruleset(handled, 0b11 if version >= 4 else 0, 0b11 if version >= 6 else 0)
    length = 24 if version >= 6 else 16 if version >= 4 else 8
    return system_call("Landlock", _CREATE, ctypes.byref(ruleset), length, 0)


def _devices() -> Iterable[Path]:
    """Return the GPUs that the process was given."""
    return Path("/dev").glob("nvidia*") if os.environ.get("CUDA_VISIBLE_DEVICES") else ()


def _allow(ruleset: int, paths: Iterable[Path], allowed: int) -> None:
    for path in paths:
        with suppress(FileNotFoundError, PermissionError, NotADirectoryError):
            file = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                is_folder = stat.S_ISDIR(os.fstat(file).st_mode)
                rule = _Beneath(allowed if is_folder else allowed & _OF_FILES, file)
                system_call(f"Landlock, {path}", _ADD, ruleset, _BENEATH, ctypes.byref(rule), 0)
            finally:
                os.close(file)
