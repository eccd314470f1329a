"""Privileges: none, and none to be gained."""

import ctypes
import os
import signal
from typing import Final

from training.code.restrict.syscalls import (
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    control,
    machine,
    system_call,
)

_CAPSET: Final = {"x86_64": 126, "aarch64": 91}
_VERSION: Final = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
_CLONE_NEWNET: Final = 0x40000000
_CLONE_NEWIPC: Final = 0x08000000
_UNSHARE: Final = {"x86_64": 272, "aarch64": 97}


def drop() -> None:
    """Give up all capabilities. Raises OSError where this system cannot."""
    name = machine()
    if name not in _CAPSET:
        raise OSError(f"capabilities: no way to drop them on {name or 'this system'}")
    control("no new privileges", PR_SET_NO_NEW_PRIVS, 1)
    if os.geteuid() == 0:
        _leave_networks(_UNSHARE[name])
    header = (ctypes.c_uint32 * 2)(_VERSION, 0)
    system_call("capabilities", _CAPSET[name], header, (ctypes.c_uint32 * 6)())


def end_with_parent() -> None:
    """Let the kernel end this process when the thread that started it ends."""
    if machine():
        control("end with the parent", PR_SET_PDEATHSIG, signal.SIGKILL)


def _leave_networks(unshare: int) -> None:
    try:
        system_call("own network", unshare, _CLONE_NEWNET | _CLONE_NEWIPC)
    except OSError:  # as in most containers; the filter of system calls denies sockets anyway
        return
