"""Reports to the training service how a replica does."""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from pipeline.service.logs import Seldom
from training.inference.counts import Counts
from training.job.service import AwayError, RefusedError

log = logging.getLogger(__name__)

_EVERY: Final = 5.0  # s
_TICK: Final = 0.5  # s


class Target(Protocol):
    """The training service, about one inference."""

    def progress(self, fields: dict[str, Any]) -> None:
        """Send a report; raise RefusedError or AwayError."""


class Reporter:
    """Sends the state of a replica when it changes, otherwise every few seconds, and when it ends.

    `condition` returns what is missing, or None; `health` is the address of its metrics.
    """

    def __init__(
        self,
        target: Target,
        counts: Counts,
        *,
        condition: Callable[[], str | None],
        health: str,
        stopping: threading.Event,
    ) -> None:
        self._target = target
        self._about = {"run": secrets.token_hex(8), "health": health}
        self._counts = counts
        self._seldom = Seldom(log)
        self._condition = condition
        self._stopping = stopping
        self._said: str | None = ""
        self._due = 0.0

    def step(self) -> None:
        """Send a report if that is due; wait a moment."""
        reason = self._condition()
        if reason != self._said or time.monotonic() >= self._due:
            self._said = reason
            self._due = time.monotonic() + _EVERY
            self.send(reason)
        self._stopping.wait(_TICK)

    def close(self) -> None:
        """Report the last counts, and that the replica has ended."""
        self.send(None, "stopped")

    def send(self, reason: str | None, state: str = "") -> None:
        """Send a report."""
        fields: dict[str, Any] = {
            **self._about,
            "state": state or ("not-ready" if reason else "ready"),
            "reason": reason,
            "answered": self._counts.answered,
            "skipped": self._counts.skipped,
            "skipped_why": self._counts.skipped_why,
            "waiting": self._counts.waiting,
        }
        try:
            self._target.progress(fields)
        except (RefusedError, AwayError) as error:
            if state and isinstance(error, RefusedError):
                return  # it ends because the inference was stopped
            self._seldom.warning("report", f"the report was not sent: {error}")
