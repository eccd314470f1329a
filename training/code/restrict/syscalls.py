"""System calls that the C library does not offer."""

import ctypes
import os
import platform
import sys
from typing import Any, Final

PR_SET_PDEATHSIG: Final = 1
PR_SET_SECCOMP: Final = 22
PR_SET_NO_NEW_PRIVS: Final = 38


def system_call(what: str, number: int, *arguments: Any) -> int:
    """Call the kernel. Raises OSError, with `what` in its text."""
    return _checked(what, _library().syscall(ctypes.c_long(number), *map(_word, arguments)))


def control(what: str, option: int, *arguments: Any) -> int:
    """Call prctl. Raises OSError, with `what` in its text."""
    words = [_word(argument) for argument in (*arguments, 0, 0, 0, 0)[:4]]
    return _checked(what, _library().prctl(ctypes.c_int(option), *words))


def machine() -> str:
    """Return the processor's name as the kernel has it, or an empty text if this is not 64-bit Linux."""
    if sys.platform != "linux" or sys.maxsize < 2**32:
        return ""
    return platform.machine()


def _word(argument: Any) -> Any:
    return ctypes.c_ulong(argument) if isinstance(argument, int) else argument


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(what: str, result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
