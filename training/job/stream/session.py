"""A restricted process that answers one question after the other."""

import json
import os
import queue
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from training.code.program import CodeError
from training.code.supervise import StoppedError

QUESTIONS: Final = "questions"
"""The named pipe in the process's folder: one question per line, JSON."""

_ANSWERS: Final = 4  # that may wait; the process answers only what it was asked
_TICK: Final = 0.2  # s between two looks whether the job stops

Work = Callable[[Callable[[dict[str, Any]], None], threading.Event], object]
"""Runs the process with what takes its reports, and the event that ends it; returns when it has ended."""


class Session:
    """Runs a process in `folder` as long as the `with` block lasts.

    It reports `{"answer": …}` once it is ready, and after each question. Other reports are not answers.
    """

    def __init__(self, work: Work, folder: Path, stop: threading.Event) -> None:
        self._work = work
        self._pipe_file = folder / QUESTIONS
        self._stop = stop
        self._ending = threading.Event()
        self._heard = queue.Queue[dict[str, Any]](_ANSWERS)
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="session")
        self._pipe = -1

    def __enter__(self) -> Self:
        self._pipe_file.unlink(missing_ok=True)
        os.mkfifo(self._pipe_file, 0o600)
        # Opening it for both ways does not wait for the process.
        self._pipe = os.open(self._pipe_file, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join()
        os.close(self._pipe)

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a question; see `hear`."""
        os.write(self._pipe, json.dumps(dict(question)).encode() + b"\n")
        return self.hear()

    def hear(self) -> dict[str, Any]:
        """Return the next answer.

        Raises CodeError if the process has ended, and StoppedError after `stop`.
        """
        while True:
            failure = self._failure  # answers that came before it count
            try:
                return self._heard.get(timeout=_TICK)
            except queue.Empty:
                if self._stop.is_set():
                    raise StoppedError from None
                if failure is not None:
                    raise failure from None

    def _run(self) -> None:
        try:
            self._work(self._note, self._ending)
            self._failure = CodeError("the code: it ended its process before there was a result")
        except (CodeError, StoppedError, OSError, ValueError) as error:
            self._failure = error

    def _note(self, report: dict[str, Any]) -> None:
        answer = report.get("answer")
        if isinstance(answer, dict):
            try:
                self._heard.put_nowait(answer)
            except queue.Full:
                raise CodeError("the code: it wrote into the report of its own process") from None
