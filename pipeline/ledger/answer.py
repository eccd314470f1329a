"""What a service answers to `/ledger/runs`."""

import json
import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

from pipeline.ledger.directory import Process
from pipeline.service.values import Address
from pipeline.watchdog import Watchdog
from pipeline.wire.frame import is_name
from pipeline.wire.text import one_line

LARGEST_ANSWER: Final = 32 * 2**20
"""The most bytes that a service may answer."""

_TIMEOUT: Final = 2.0  # s for the next bytes
_COMPLETE: Final = 10.0  # s for the whole answer, however slowly its bytes come
_INCOMPLETE: Final = "its answer was not complete after {:g} s"
_AT_ONCE: Final = 50
_REASON: Final = 40  # characters

Range = tuple[int, int, bool]
"""The first and the last number, and whether reading began again with the first."""


class UnansweredError(Exception):
    """A process did not answer. The text says why; `has_ended` is whether nothing listens there any more."""

    def __init__(self, text: str, *, has_ended: bool = False) -> None:
        super().__init__(text)
        self.has_ended = has_ended


@dataclass(frozen=True, slots=True)
class Run:
    """The numbers of a run, in order, and when the last of them was added, in s before the answer."""

    age: float
    ranges: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """What a process has counted of a camera: see `pipeline.flow.ledger.Numbered`."""

    came: int
    went: int
    dropped: dict[str, int]
    pending: int
    again: int
    read: dict[str, Run]
    wrote: dict[str, Run]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a process has answered about its cameras.

    `began` is how long before in s it last began to read somewhere else; None if it reads nothing.
    """

    process: Process
    began: float | None
    cameras: dict[str, Counted]


def ask_all(processes: list[Process]) -> tuple[list[Answer], dict[Process, UnansweredError]]:
    """Ask processes, all at the same time; return the answers, and why others did not answer."""
    answers: list[Answer] = []
    unanswered: dict[Process, UnansweredError] = {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for process, result in zip(processes, pool.map(_asked, processes), strict=True):
            if isinstance(result, Answer):
                answers.append(result)
            else:
                unanswered[process] = result
    return answers, unanswered


def _asked(process: Process) -> Answer | UnansweredError:
    try:
        return ask(process)
    except UnansweredError as error:
        return error


def ask(process: Process) -> Answer:
    """Ask a process; raise `UnansweredError`."""
    try:
        address = Address.parse(process.health)
    except ValueError:
        raise UnansweredError("it reports no address of its HEALTHPORT") from None
    connection = HTTPConnection(address.host, address.port, timeout=_TIMEOUT)
    watchdog, deadline = Watchdog(_COMPLETE), time.monotonic() + _COMPLETE
    try:
        connection.connect()
        watchdog.watch(connection.sock, deadline)
        connection.request("GET", "/ledger/runs")
        with connection.getresponse() as response:
            body = response.read(LARGEST_ANSWER + 1)
    except ConnectionRefusedError:
        raise UnansweredError("nothing listens there", has_ended=True) from None
    except TimeoutError:
        raise UnansweredError(f"it did not answer within {_TIMEOUT:g} s") from None
    except (OSError, HTTPException, ValueError) as error:
        late = _INCOMPLETE.format(_COMPLETE) if time.monotonic() >= deadline else None
        text = late or getattr(error, "strerror", None) or type(error).__name__
        raise UnansweredError(text) from None
    finally:
        watchdog.end()
        connection.close()
    if time.monotonic() >= deadline:  # it was cut, which looks like its end
        raise UnansweredError(_INCOMPLETE.format(_COMPLETE))
    if response.status == 404:
        raise UnansweredError("it is an older version, which does not answer /ledger/runs: update it")
    if response.status != 200:
        raise UnansweredError(f"it answered with status {response.status}")
    if len(body) > LARGEST_ANSWER:
        raise UnansweredError(f"it answered with more than {LARGEST_ANSWER} bytes")
    return parse(process, body)


def parse(process: Process, body: bytes) -> Answer:
    """Return an answer; raise `UnansweredError` if it is in another format."""
    try:
        fields = json.loads(body)
        began = None if fields["began"] is None else _seconds(fields["began"])
        cameras = {_name(name): _counted(counts) for name, counts in fields["cameras"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UnansweredError("it answers in another format: run the same version everywhere") from None
    return Answer(process, began, cameras)


def _counted(fields: dict[str, Any]) -> Counted:
    dropped = {_reason(reason): _count(count) for reason, count in fields["dropped"].items()}
    came, went = _count(fields["in"]), _count(fields["out"])
    pending = came - went - sum(dropped.values())
    again = _count(fields["again"])
    return Counted(came, went, dropped, pending, again, _runs(fields["read"]), _runs(fields["wrote"]))


def _runs(fields: dict[str, Any]) -> dict[str, Run]:
    return {run: Run(_seconds(each["age"]), _ranges(each["ranges"])) for run, each in fields.items()}


def _ranges(found: list[list[int]]) -> tuple[Range, ...]:
    ranges, last = [], -1
    for begin, end, begins in found:
        if not last < _count(begin) <= _count(end):
            raise ValueError("ranges are not in order")
        ranges.append((begin, end, bool(begins)))
        last = end
    return tuple(ranges)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("not a count")
    return value


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ValueError("not a time")
    return float(value)


def _name(text: str) -> str:
    if not is_name(text):
        raise ValueError("not a camera's name")
    return text


def _reason(text: str) -> str:
    return one_line(text)[:_REASON]
