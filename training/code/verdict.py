"""Why a restricted process ended without a result."""

import re
import signal
from dataclasses import dataclass
from typing import Final

from training.code.limits import Limits, size

_STACK: Final = b"(most recent call first)"
_LINE: Final = re.compile(rb'File "<(imports|code)>", line (\d+)')
_NO_MEMORY: Final = re.compile(r"bad_alloc|cannot allocate memory|out of memory|MemoryError", re.IGNORECASE)

# What TensorFlow says of itself, in its three forms; its errors may be the cause.
_NOISE: Final = re.compile(
    r"[IW]\d{4} \d\d:\d\d:\S+ +\d+ \S+:\d+\] "
    r"|\d{4}-\d\d-\d\d \d\d:\d\d:\S+: [IW] \S+:\d+\] "
    r"|WARNING: All log messages before absl::InitializeLog\(\) "
    r"|To enable the following instructions: "
)


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended: the status as subprocess has it, negative for signals, and the end of its output."""

    status: int
    has_started: bool
    output: str


def verdict(ending: Ending, limits: Limits) -> str:
    """Return the cause in one line."""
    stripped = (line.strip() for line in ending.output.splitlines())
    lines = [line for line in stripped if line and not _NOISE.match(line)]
    last = lines[-1][:200] if lines else "it printed nothing"
    who = "the code" if ending.has_started else "the restricted process"
    if ending.status >= 0:
        return f"{who}: it ended its process (exit status {ending.status}) before there was a result; {last}"
    if -ending.status == signal.SIGXCPU:
        return f"{who}: it used more processor time than the limit"
    if -ending.status == signal.SIGKILL:
        return f"{who}: the system ended its process, probably for lack of memory or processor time"
    if _NO_MEMORY.search(ending.output):
        return f"{who}: it needs more memory than the limit of {size(limits.memory)}"
    return f"{who}: it ended its process with {_name(-ending.status)}; {last}"


def line_in(output: bytes) -> str | None:
    """Return the user's line in a stack that faulthandler wrote, such as `line 3 of the code`."""
    stack = output.rpartition(_STACK)
    found = _LINE.search(stack[2]) if stack[1] else None
    return f"line {found[2].decode()} of the {found[1].decode()}" if found else None


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
