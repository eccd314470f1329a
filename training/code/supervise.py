"""Watches over a restricted process: takes its reports and its output, and ends it beyond its limits."""

import json
import logging
import os
import selectors
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pipeline.service.logs import Seldom
from training.code.limits import Limits, size
from training.code.process import Process
from training.code.program import CodeError
from training.code.verdict import Ending, line_in, verdict
from training.code.watch import folder_size

log = logging.getLogger(__name__)
_seldom: Final = Seldom(log)

_TICK: Final = 0.05  # s between two looks at what the process uses
_PATIENCE: Final = 2.0  # s for the process to say which line runs
_LARGEST_REPORT: Final = 16 * 1024 * 1024  # bytes of a line
_TAIL: Final = 32 * 1024  # bytes of output that are kept


class StoppedError(Exception):
    """The task was stopped because its caller wanted that."""


class Child:
    """The process, what it has said so far, and what it may use."""

    def __init__(
        self,
        process: Process,
        folder: Path,
        limits: Limits,
        on_progress: Callable[[dict[str, Any]], None] | None,
    ) -> None:
        self._process = process
        self._folder = folder
        self._limits = limits
        self._on_progress = on_progress
        self._began = time.monotonic()
        self._started: float | None = None
        self._is_restricted = False
        self._line = b""
        self._printed = 0
        self._tail = b""
        self._looked = 0.0
        self._answer: tuple[str, Any] | None = None
        self._selector = selectors.DefaultSelector()

    def answer(self, stop: threading.Event | None) -> Any:
        """Wait for the result. Raises CodeError with the cause if there is none, and StoppedError."""
        self._selector.register(self._process.reports, selectors.EVENT_READ, self._take_report)
        self._selector.register(self._process.output, selectors.EVENT_READ, self._take_output)
        while self._answer is None:
            has_ended = self._process.has_ended()
            if not self._take(_TICK) and has_ended:
                raise CodeError(self._verdict())
            if stop is not None and stop.is_set():
                raise StoppedError
            if trouble := self._trouble():
                raise CodeError(trouble)
        kind, value = self._answer
        if kind == "error":
            raise CodeError(str(value))
        return value

    def end(self) -> None:
        """End the process and all that it started."""
        self._process.kill()
        self._selector.close()
        self._process.close()

    def _take(self, wait: float) -> bool:
        """Read what there is; return whether there was anything."""
        if not self._selector.get_map():
            time.sleep(wait)  # it closed its pipes, and may still run
            return False
        found = False
        for key, _ in self._selector.select(wait):
            data = os.read(key.fd, 65536)
            if data:
                found = True
                key.data(data)
            else:
                self._selector.unregister(key.fd)
        return found

    def _take_report(self, data: bytes) -> None:
        *lines, self._line = (self._line + data).split(b"\n")
        if len(self._line) > _LARGEST_REPORT:
            self._answer = ("error", f"the code: it reported more than {size(_LARGEST_REPORT)}")
        for line in lines:
            report = None
            with suppress(ValueError, RecursionError):  # written by the user's code
                report = json.loads(line)
            if isinstance(report, dict):
                self._take_kind(report.get("kind"), report.get("value"))

    def _take_kind(self, kind: object, value: Any) -> None:
        if kind == "restricted" and not self._is_restricted:
            self._is_restricted = True
            for lack in value:
                _seldom.warning(lack, f"code of models runs with fewer restrictions here: {lack}")
        elif kind == "started" and self._started is None:
            self._started = time.monotonic()
        elif kind == "progress" and self._on_progress and isinstance(value, dict):
            self._on_progress(value)
        elif kind in ("done", "error") and self._answer is None:
            self._answer = (str(kind), value)

    def _take_output(self, data: bytes) -> None:
        self._printed += len(data)
        self._tail = (self._tail + data)[-_TAIL:]

    def _trouble(self) -> str | None:
        """Return which limit the process exceeds, if any."""
        now = time.monotonic()
        limits = self._limits
        if self._started is None and now - self._began > limits.start:
            return f"the framework did not start within {limits.start:g} s: the machine is too busy"
        if limits.time is not None and self._started and now - self._started > limits.time:
            return f"{self._where()}: it was still running after {limits.time:g} s"
        if self._printed > limits.output:
            return f"{self._where()}: it printed more than {size(limits.output)}"
        if now - self._looked < _TICK:
            return None
        self._looked = now
        return self._excess()

    def _excess(self) -> str | None:
        limits = self._limits
        used = self._process.usage()
        if used.memory > limits.memory:
            return f"{self._where(0.2)}: it used more than {size(limits.memory)} of memory"
        if used.threads > limits.threads:
            return f"{self._where()}: it started more than {limits.threads} threads"
        written, count = folder_size(self._folder, limits.entries)
        if written + self._process.deleted_size() > limits.folder:
            return f"{self._where()}: it wrote more than {size(limits.folder)}"
        if count > limits.entries:
            return f"{self._where()}: it wrote more than {limits.entries} files"
        return None

    def _where(self, patience: float = _PATIENCE) -> str:
        """Ask the process which line of the user's code runs."""
        if not self._is_restricted:
            return "the code"
        self._tail = b""
        self._process.print_stack()
        deadline = time.monotonic() + patience
        while not (line := line_in(self._tail)) and time.monotonic() < deadline:
            if not self._take(_TICK) and self._process.has_ended():
                break
        return line or "the code"

    def _verdict(self) -> str:
        ending = Ending(
            status=self._process.kill(),
            has_started=self._started is not None,
            output=self._tail.decode(errors="replace"),
        )
        return verdict(ending, self._limits)
