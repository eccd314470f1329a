"""A part through its life: started, asked until it is ready, started again when it dies."""

import signal
from collections.abc import Mapping
from typing import Final

from compose.broker import ANNOUNCEMENT
from compose.console import Console
from compose.errors import PartError
from compose.network import Probe, trouble_of_model, trouble_of_service
from compose.options import ROOT
from compose.parts import Part, environment
from compose.process import Process

MOST_RESTARTS: Final = 5

_BAD_SETTINGS: Final = 2  # exit status of a part that would end in the same way again
_FIRST_WAIT: Final = 0.2  # s until a part that died is started again, doubled each time
_STEADY: Final = 60.0  # s of running after which earlier deaths are forgotten
_REPLACING: Final = 3.0  # s that a part has to end when it is to be started anew
_PROBING: Final = (0.1, 1.0)  # s between two questions, at first and at last
_QUESTIONS: Final = {"tfserving": "/v1/models/imagenet"}


class Job:
    """Keeps one part running. `trouble` says why it is not ready, None when it is.

    `step` is called again and again, never waits, and raises `PartError` when the part cannot be kept up.
    """

    def __init__(self, part: Part, console: Console, inherited: Mapping[str, str]) -> None:
        self.part = part
        self.trouble: str | None = "not started yet"
        self.address = ""
        """The address that a running broker has told."""
        self.answered: float | None = None
        """When the running process answered for the first time, ready or not."""
        self.process: Process | None = None
        self._console = console
        self._inherited = inherited
        self._began = self._start_at = self._probe_at = 0.0
        self._kill_at: float | None = None
        self._probe: Probe | None = None
        self._deaths = 0

    def sources(self) -> list[Process | Probe]:
        """Return what may have something to be read."""
        process = [self.process] if self.process and self.process.is_open else []
        return [*process, *([self._probe] if self._probe else [])]

    def step(self, now: float, bootstrap: str) -> None:
        """Do what is due at `now`; `bootstrap` is the broker's address, empty while there is none."""
        if self.process is None:
            if now >= self._start_at and (bootstrap or not self.part.kafka):
                self._start(now, bootstrap)
            return
        self.process.relay()
        status = self.process.poll()
        if status is not None:
            self._ended(now, status, self.process.last_line)
        elif self._kill_at is not None:
            if now >= self._kill_at:
                self.process.kill()
        elif self.trouble is not None:
            self._ask(now)

    def replace(self, now: float) -> None:
        """End the process, to be started anew with another address; this is no death."""
        if self.process is not None and self._kill_at is None:
            self._kill_at = now + _REPLACING
            self.trouble = "is to get the new address"
            self.process.terminate()

    def is_running(self) -> bool:
        """Tell whether there is a process; what it wrote meanwhile is shown."""
        if self.process is None:
            return False
        self.process.relay()
        return self.process.poll() is None

    def kill(self) -> None:
        """End the process at once."""
        if self.process is not None:
            self.process.kill()

    def stop(self) -> None:
        """Ask the process to end, for good."""
        self._close_probe()
        if self.process is not None:
            self.process.terminate()

    def _start(self, now: float, bootstrap: str) -> None:
        variables = environment(self.part, bootstrap, self._inherited)
        try:
            self.process = Process(self.part.command, variables, ROOT, self._show)
        except OSError as error:
            raise PartError(f"{self.part.name} cannot be started: {error}") from None
        self._began = self._probe_at = now
        self.trouble = "is starting"

    def _show(self, line: str) -> None:
        self._console.show(self.part.name, line)
        if self.part.role == "broker" and line.startswith(ANNOUNCEMENT):
            self.address = line.removeprefix(ANNOUNCEMENT)

    def _ask(self, now: float) -> None:
        """Ask whether it is ready, or look whether the answer has come."""
        if self.part.role == "broker":
            self._told(now, None if self.address else self.trouble)
            return
        try:
            if self._probe is None:
                if now >= self._probe_at:
                    self._probe = Probe(self.part.port, _QUESTIONS.get(self.part.role, "/readyz"))
            elif answer := self._probe.answer():
                self._forget_probe(now)
                judge = trouble_of_model if self.part.role == "tfserving" else trouble_of_service
                self._told(now, judge(*answer))
        except OSError:
            self._forget_probe(now)

    def _told(self, now: float, trouble: str | None) -> None:
        self.trouble = trouble
        self.answered = self.answered or now
        if trouble is None:
            self._console.say(f"{self.part.name} is ready after {now - self._began:.1f} s")

    def _close_probe(self) -> None:
        if self._probe is not None:
            self._probe.close()
            self._probe = None

    def _forget_probe(self, now: float) -> None:
        self._close_probe()
        shortest, longest = _PROBING
        self._probe_at = now + min(longest, max(shortest, (now - self._began) / 20))

    def _ended(self, now: float, status: int, last_line: str) -> None:
        wanted = self._kill_at is not None
        self.process = self._kill_at = self.answered = None
        self.address = ""
        self.trouble = "waits to be started again"
        self._forget_probe(now)
        if not wanted:
            self._died(now, f"{_how(status)}{last_line and ': '}{last_line}", status)

    def _died(self, now: float, how: str, status: int) -> None:
        name = self.part.name
        if status == _BAD_SETTINGS:
            raise PartError(f"{name} cannot run as it is set up, it ended with {how}")
        self._deaths = 1 if now - self._began > _STEADY else self._deaths + 1
        if self._deaths > MOST_RESTARTS:
            raise PartError(
                f"{name} does not stay up, started again {MOST_RESTARTS} times it ended with {how}"
            )
        wait = _FIRST_WAIT * 2 ** (self._deaths - 1)
        self._start_at = now + wait
        again = f"it is started again in {wait:.1f} s ({self._deaths} of {MOST_RESTARTS} times)"
        self._console.say(f"{name} ended with {how}; {again}")


def _how(status: int) -> str:
    if status >= 0:
        return f"exit code {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
