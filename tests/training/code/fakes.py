"""What stands in for a restricted process."""

import json
import os
from typing import Any

from tests.clock import Clock
from training.code.watch import Usage


class FakeProcess:
    """Reports, prints and uses what a test says. Each look at whether it has ended takes a second."""

    def __init__(self, clock: Clock) -> None:
        self.reports, self._report = os.pipe()
        self.output, self._print = os.pipe()
        self.question = b""
        self.used = Usage(memory=0, threads=1)
        self.deleted = 0
        self.stack = b""
        self.status: int | None = None
        self.is_killed = self.is_closed = False
        self._clock = clock
        self._are_open = True

    def report(self, kind: str, value: Any = None) -> None:
        self.write(json.dumps({"kind": kind, "value": value}).encode() + b"\n")

    def write(self, data: bytes) -> None:
        os.write(self._report, data)

    def print(self, data: bytes) -> None:
        os.write(self._print, data)

    def close_pipes(self) -> None:
        if self._are_open:
            self._are_open = False
            os.close(self._report)
            os.close(self._print)

    def end(self, status: int) -> None:
        self.close_pipes()
        self.status = status

    def ask(self, question: bytes) -> None:
        self.question = question

    def usage(self) -> Usage:
        return self.used

    def deleted_size(self) -> int:
        return self.deleted

    def print_stack(self) -> None:
        if self.stack:
            self.print(self.stack)

    def has_ended(self) -> bool:
        self._clock.now += 1
        return self.status is not None

    def kill(self) -> int:
        self.is_killed = True
        return -9 if self.status is None else self.status

    def close(self) -> None:
        self.close_pipes()
        os.close(self.reports)
        os.close(self.output)
        self.is_closed = True
