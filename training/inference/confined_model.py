"""A model in a restricted process of its own: its file and its code come from others."""

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from pipeline.service.logs import Seldom
from pipeline.service.workers import Pulse
from training.code.confined import run
from training.code.folder import temporary_folder
from training.code.limits import GIB, Limits
from training.code.program import CodeError
from training.code.supervise import StoppedError
from training.inference.answers import is_valid
from training.inference.model import AwayError, LostError, RefusedError
from training.inference.pipes import ANSWERS, QUESTIONS, GoneError, Pipes
from training.job.service import AwayError as ServiceAwayError
from training.job.service import RefusedError as ServiceRefusedError

log = logging.getLogger(__name__)

_TASK: Final = "training.inference.child.answer"
_LOADED: Final = "loaded"
_PAUSES: Final = (1.0, 5.0, 15.0, 60.0)  # s before a model that failed is loaded again


class _Ending(threading.Event):
    """Is set when a process is to end: by itself, or because the service stops."""

    def __init__(self, stopping: threading.Event) -> None:
        super().__init__()
        self._stopping = stopping

    def is_set(self) -> bool:
        """Return whether the process is to end."""
        return super().is_set() or self._stopping.is_set()


class ConfinedModel:
    """Loads a model in a restricted process, again if that ends, and asks it.

    `fetch` writes the model's files into a folder, and returns what the process has to know about them. A
    batch may take `timeout` s, and the process `memory` bytes; 0: all there is.
    """

    def __init__(
        self,
        fetch: Callable[[Path], Mapping[str, Any]],
        *,
        timeout: float,
        memory: int = 0,
        environment: Mapping[str, str] | None = None,
        task: str = _TASK,
        read: Sequence[Path] = (),
        pauses: Sequence[float] = _PAUSES,
    ) -> None:
        self._fetch = fetch
        self._seldom = Seldom(log)
        self._timeout = timeout
        self._memory = memory or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        self._environment = environment
        self._task = task
        self._read = read
        self._pauses = pauses
        self._lock = threading.Lock()
        self._open: tuple[Pipes, _Ending] | None = None
        self._why: str | None = "the model is being loaded"

    def run(self, pulse: Pulse) -> None:
        """Keep the model loaded: a worker."""
        pulse.quiet = math.inf
        failures = 0
        while not pulse.stopping.is_set():
            begun = time.monotonic()
            try:
                self._serve(pulse.stopping)
            except StoppedError:
                if pulse.stopping.is_set():
                    return
            except (CodeError, ServiceAwayError, ServiceRefusedError, OSError) as error:
                self._note(f"the model cannot be used: {error}")
            lasted = time.monotonic() - begun
            failures = 0 if lasted > self._pauses[-1] else failures + 1
            pulse.stopping.wait(self._pauses[min(failures, len(self._pauses)) - 1 if failures else 0])

    def unready(self) -> str | None:
        """Return why the model cannot be asked now, in one line, or None."""
        return self._why

    def predict(self, rows: NDArray[Any], values: Sequence[bytes]) -> NDArray[Any]:  # noqa: ARG002
        """Return the predictions for rows."""
        return self._asked(rows, lambda pipes: _tuple(pipes.ask(rows, self._timeout)))[0]

    def predict_both(
        self,
        rows: NDArray[Any],
        values: Sequence[bytes],  # noqa: ARG002
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return both outputs of a part of a chain for rows."""
        upper, own = self._asked(rows, lambda pipes: pipes.ask_both(rows, self._timeout))
        return upper, own

    def _asked(
        self, rows: NDArray[Any], ask: Callable[[Pipes], tuple[NDArray[Any], ...] | str]
    ) -> tuple[NDArray[Any], ...]:
        with self._lock:
            current = self._open
        if current is None:
            raise AwayError(self._why or "the model is being loaded")
        pipes, ending = current
        try:
            found = ask(pipes)
        except GoneError as error:
            self._end(ending, str(error))
            raise LostError(str(error)) from None
        if isinstance(found, str):
            raise RefusedError(found)
        for each in found:
            if not is_valid(each, len(rows)):
                reason = f"the model's process has sent {each.dtype} of shape {each.shape}"
                self._end(ending, reason)
                raise RefusedError(reason)
        return found

    def _serve(self, stopping: threading.Event) -> None:
        """Run one process until it ends."""
        ending = _Ending(stopping)
        with temporary_folder() as given, temporary_folder() as work:
            about = self._fetch(given)
            is_over = threading.Event()
            with Pipes(work, is_over.is_set) as pipes:
                try:
                    self._run(given, work, about, (pipes, ending))
                finally:
                    is_over.set()
                    with self._lock:
                        self._open = None
                        self._why = self._why or "the model is being loaded again"
        raise CodeError("its process has ended")

    def _run(self, given: Path, work: Path, about: Mapping[str, Any], current: tuple[Pipes, _Ending]) -> None:
        def note(report: Mapping[str, Any]) -> None:
            if report.get(_LOADED):
                with self._lock:
                    self._open, self._why = current, None
                log.info("the model is loaded")

        run(
            self._task,
            {**about, QUESTIONS: str(work / QUESTIONS), ANSWERS: str(work / ANSWERS)},
            folder=work,
            limits=Limits(
                start=600, time=None, memory=self._memory, open_files=1024, threads=2000, output=GIB
            ),
            read=[given, *self._read],
            environment=self._environment,
            on_progress=note,
            stop=current[1],
        )

    def _end(self, ending: _Ending, reason: str) -> None:
        """Let the process end; the worker starts another one."""
        self._note(reason)
        ending.set()

    def _note(self, reason: str) -> None:
        with self._lock:
            self._open, self._why = None, reason
        self._seldom.warning(reason, reason)


def _tuple(found: NDArray[Any] | str) -> tuple[NDArray[Any]] | str:
    return found if isinstance(found, str) else (found,)
