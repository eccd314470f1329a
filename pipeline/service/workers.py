"""A worker: one thread of a service, restarted when it fails."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from prometheus_client import Counter

log = logging.getLogger(__name__)

_RESTARTS = Counter("streamlens_worker_restarts", "Times a worker failed and was restarted", ["worker"])

MOST_RESTARTS: Final = 5
"""One more failure of a worker within `_RECENT` seconds ends the process, so that Kubernetes can act."""

_RECENT: Final = 60.0
_JOIN: Final = 5.0  # s for all workers to end


@dataclass(slots=True)
class Pulse:
    """A worker's link to its service: it beats every few seconds, and ends when `stopping` is set.

    A worker that may have to wait longer for something sets `quiet` to that time, in s.
    """

    stopping: threading.Event
    last: float = field(default_factory=time.monotonic)
    quiet: float = 0.0

    def beat(self) -> None:
        """Report that the worker is alive."""
        self.last = time.monotonic()


class Worker:
    """Runs `run` in a thread until `stopping` is set; after too many failures it calls `give_up` and ends."""

    def __init__(
        self,
        name: str,
        run: Callable[[Pulse], None],
        stopping: threading.Event,
        give_up: Callable[[], None],
    ) -> None:
        self.name = name
        self.pulse = Pulse(stopping)
        self._run = run
        self._give_up = give_up
        self._thread = threading.Thread(target=self._supervise, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def join(self, deadline: float) -> None:
        """Wait for the thread until a time of the monotonic clock, unless it is the caller's own."""
        if self._thread.ident is None or self._thread is threading.current_thread():
            return
        self._thread.join(max(0.0, deadline - time.monotonic()))
        if self._thread.is_alive():
            log.warning("worker %s did not end in time", self.name)

    def drop_metrics(self) -> None:
        """Remove what was counted for this worker."""
        _RESTARTS.remove(self.name)

    def _supervise(self) -> None:
        _show_name(self.name)
        failures: list[float] = []
        stopping = self.pulse.stopping
        while not stopping.is_set():
            try:
                self.pulse.beat()
                self._run(self.pulse)
            except Exception:
                now = time.monotonic()
                failures = [*(at for at in failures if now - at < _RECENT), now]
                log.exception("worker %s failed, %d of at most %d", self.name, len(failures), MOST_RESTARTS)
                if stopping.is_set():
                    return
                if len(failures) > MOST_RESTARTS:
                    self._give_up()
                    return
                _RESTARTS.labels(self.name).inc()
                stopping.wait(0.1 * 2 ** len(failures))


def join(workers: Sequence[Worker]) -> None:
    """Wait for workers to end, five seconds at most for all together."""
    deadline = time.monotonic() + _JOIN
    for worker in workers:
        worker.join(deadline)


def _show_name(name: str) -> None:
    """Give this thread a name for `top -H` and the like, as Python itself does from 3.14 on."""
    with suppress(OSError):  # not on Linux
        Path("/proc/thread-self/comm").write_bytes(name.encode()[:15])
