"""The pipes to a restricted process: a question in, an answer out, within a time.

They are named pipes in the folder in which the process may write.
"""

import fcntl
import math
import os
import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from numpy.typing import NDArray

from training.inference import wire

QUESTIONS: Final = "questions"
ANSWERS: Final = "answers"

_SET_SIZE: Final = getattr(fcntl, "F_SETPIPE_SZ", None)  # Linux
_SIZE: Final = 2**20  # bytes that a pipe holds
_TICK: Final = 0.1  # s between two looks whether the process still runs
_GLANCE: Final = 0.0005  # s between two looks whether it has opened its end
_ANSWER_BYTES: Final = 2**28  # of an answer


class GoneError(Exception):
    """The process does not answer, or not what was asked: why, in one line."""


class Pipes:
    """Asks the process that has opened the other ends; any thread may close it.

    `is_over` says that the process has ended.
    """

    def __init__(self, folder: Path, is_over: Callable[[], bool]) -> None:
        self._is_over = is_over
        self._lock = threading.Lock()
        self._is_closed = False
        for name in (QUESTIONS, ANSWERS):
            os.mkfifo(folder / name, 0o600)
        # Opening the first for both ways does not wait for the process.
        self._questions = os.open(folder / QUESTIONS, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._answers = os.open(folder / ANSWERS, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if _SET_SIZE is not None:
            for pipe in (self._questions, self._answers):
                with suppress(OSError):  # the system may permit less
                    fcntl.fcntl(pipe, _SET_SIZE, _SIZE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        # Whoever still asks must not use the numbers of these files for others.
        with self._lock:
            self._is_closed = True
            os.close(self._questions)
            os.close(self._answers)

    def ask(self, rows: NDArray[Any], timeout: float) -> NDArray[Any] | str:
        """Return the array that answers an array, or the reason why there is none.

        Raises GoneError after `timeout` s, when the process has ended, and for an answer that is not one;
        nothing else can be asked then.
        """
        found = self._asked(rows, timeout, 1)
        return found if isinstance(found, str) else found[0]

    def ask_both(self, rows: NDArray[Any], timeout: float) -> tuple[NDArray[Any], NDArray[Any]] | str:
        """Return the two arrays that answer an array, as `ask` does."""
        found = self._asked(rows, timeout, 2)
        return found if isinstance(found, str) else (found[0], found[1])

    def _asked(self, rows: NDArray[Any], timeout: float, count: int) -> list[NDArray[Any]] | str:
        with self._lock:
            if self._is_closed:
                raise GoneError("the model's process has ended")
            deadline, found = time.monotonic() + timeout, list[NDArray[Any]]()
            for part in wire.pack(rows):
                self._write(part, deadline)
            while len(found) < count:
                answer = self._answer(deadline)
                if isinstance(answer, str):
                    return answer
                found.append(answer)
            return found

    def _answer(self, deadline: float) -> NDArray[Any] | str:
        try:
            head = self._read(wire.length(self._read(wire.LENGTH, deadline)), deadline)
            found = wire.form(bytes(head), _ANSWER_BYTES)
            if isinstance(found, str):
                return " ".join(found.split())
            kind, shape = found
            return wire.array(self._read(math.prod(shape) * kind.itemsize, deadline), kind, shape)
        except wire.WireError as error:
            raise GoneError(f"the model's process has sent {error}") from None

    def _write(self, data: bytes | memoryview, deadline: float) -> None:
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._questions, left[:_SIZE]) :]
            except BlockingIOError:
                select.select([], [self._questions], [], self._left(deadline))

    def _read(self, size: int, deadline: float) -> bytearray:
        data = bytearray(size)
        place = memoryview(data)
        while place:
            try:
                count = os.readv(self._answers, [place[:_SIZE]])
            except BlockingIOError:
                select.select([self._answers], [], [], self._left(deadline))
                continue
            if not count:  # the other end is not open: nothing tells when it will be
                time.sleep(min(_GLANCE, self._left(deadline)))
            place = place[count:]
        return data

    def _left(self, deadline: float) -> float:
        """Return how long to wait until the next look whether the process still runs, in s."""
        if self._is_over():
            raise GoneError("the model's process has ended")
        left = deadline - time.monotonic()
        if left <= 0:
            raise GoneError("the model gave no answer in time")
        return min(left, _TICK)
