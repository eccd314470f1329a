"""Keeps all parts running until told to stop."""

import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

from compose.console import Console
from compose.errors import PartError
from compose.job import Job
from compose.parts import Part
from compose.progress import Progress

_TURN: Final = 0.1  # s at most between two looks at everything
_GRACE: Final = 8.0  # s that the parts have to end


class Interrupts:
    """The signals that have come: one asks for the end, Ctrl-C after that for the end at once."""

    def __init__(self) -> None:
        self.asked = False
        self.urgent = False

    def listen(self) -> None:
        """Take the signals from now on."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup wants it ignored
            signal.signal(signal.SIGHUP, self._note)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.urgent = self.urgent or (self.asked and number == signal.SIGINT)
        self.asked = True


class Runner:
    """Runs parts; `kafka` is the address of a broker that runs already, empty where one of the parts is."""

    def __init__(
        self,
        parts: Sequence[Part],
        console: Console,
        interrupts: Interrupts,
        *,
        kafka: str,
        ready: Callable[[], None],
        seconds: float | None,
    ) -> None:
        self._console = console
        self._interrupts = interrupts
        self._jobs = [Job(part, console, os.environ) for part in parts]
        self._broker = next((job for job in self._jobs if job.part.role == "broker"), None)
        self._bootstrap = kafka
        now = time.monotonic()
        self._end = None if seconds is None else now + seconds
        self._progress = Progress(self._jobs, console, ready, now)

    def run(self) -> int:
        """Run until told to stop or the time is over, and return 0; until a part cannot be kept up, 1."""
        reason = ""
        try:
            while not self._is_over():
                self._turn()
        except PartError as error:
            reason = str(error)
        finally:
            self._stop()
        self._console.say(reason or "stopped")
        return 1 if reason else 0

    def _is_over(self) -> bool:
        return self._interrupts.asked or (self._end is not None and time.monotonic() >= self._end)

    def _turn(self) -> None:
        self._wait(_TURN)
        now = time.monotonic()
        for job in self._jobs:
            job.step(now, self._bootstrap)
            if job is self._broker:
                self._follow(job.address, now)
        self._progress.report(now)

    def _wait(self, seconds: float) -> None:
        poll = select.poll()
        for job in self._jobs:
            for source in job.sources():
                poll.register(source, select.POLLIN)
        poll.poll(1000 * seconds)

    def _follow(self, address: str, now: float) -> None:
        """Take note of the broker's address; what had the old one is replaced."""
        if address == self._bootstrap:
            return
        if self._bootstrap:
            for job in self._jobs:
                if job.part.kafka:
                    job.replace(now)
        self._bootstrap = address

    def _stop(self) -> None:
        self._console.say("stopping")
        deadline = time.monotonic() + _GRACE
        others = [job for job in self._jobs if job is not self._broker]
        for job in others:
            job.stop()
        # The broker last: the others take their leave of it.
        self._await_end(others, deadline)
        if self._broker is not None:
            self._broker.stop()
            self._await_end([self._broker], max(deadline, time.monotonic() + 1))

    def _await_end(self, jobs: Sequence[Job], deadline: float) -> None:
        while running := [job for job in jobs if job.is_running()]:
            if self._interrupts.urgent or time.monotonic() >= deadline:
                break
            self._wait(_TURN / 2)
        for job in running:
            self._console.say(f"{job.part.name} has not ended and is killed")
            job.kill()
        while any(job.is_running() for job in running):
            time.sleep(_TURN / 10)
