"""Reports the newest progress and metrics in a thread of its own: a slow service never slows the training."""

import logging
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from pipeline.service.logs import Seldom
from training.job.service import AwayError, RefusedError, Service

log = logging.getLogger(__name__)
_seldom: Final = Seldom(log)

_EVERY: Final = 0.5  # s between two reports


class Reporter:
    """Reports until `close`. If the service refuses a report, as the result was stopped, it sets `stop`."""

    def __init__(self, service: Service, stop: threading.Event) -> None:
        self._service = service
        self._stop = stop
        self._changed = threading.Condition()
        self._progress: dict[str, Any] | None = None
        self._metrics: dict[str, Any] | None = None
        self._ends = False
        self.refusal: str | None = None
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)
        self._thread.start()

    def progress(self, fields: Mapping[str, Any]) -> None:
        """Report how far the job is, in place of what was not reported yet."""
        with self._changed:
            self._progress = dict(fields)
            self._changed.notify()

    def metrics(self, fields: Mapping[str, Any]) -> None:
        """Report the metrics of all epochs so far."""
        with self._changed:
            self._metrics = dict(fields)
            self._changed.notify()

    def close(self) -> None:
        """Report what is left, and end."""
        with self._changed:
            self._ends = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ends or self._progress or self._metrics)
                progress, self._progress = self._progress, None
                metrics, self._metrics = self._metrics, None
                if not progress and not metrics:
                    return
            if metrics:
                self._send(self._service.metrics, metrics)
            if progress:
                self._send(self._service.progress, progress)
            with self._changed:
                self._changed.wait_for(lambda: self._ends, _EVERY)

    def _send(self, send: Any, fields: dict[str, Any]) -> None:
        try:
            send(fields)
        except RefusedError as error:
            self.refusal = str(error)
            self._stop.set()
        except AwayError as error:
            _seldom.warning("away", f"{error}: the training goes on")


def say(service: Service, fields: Mapping[str, Any]) -> None:
    """Report the outcome, as well as the service lets us."""
    with suppress(RefusedError):
        service.insist(fields)
