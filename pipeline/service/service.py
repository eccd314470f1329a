"""The life of a service: its workers are started, watched, started again when they fail, and stopped."""

import gc
import logging
import signal
import threading
import time
from collections import Counter as Tally
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

from prometheus_client import REGISTRY, Counter

from pipeline.flow.ledger import Ledger
from pipeline.service.health import HealthServer
from pipeline.service.settings import Address

log = logging.getLogger(__name__)

_RESTARTS = Counter("streamlens_worker_restarts", "Times a worker failed and was started again", ["worker"])

MOST_RESTARTS: Final = 5
"""Failures of one worker within `_RECENT` seconds that end the process, so that Kubernetes acts."""

_RECENT: Final = 60.0
_FROZEN: Final = 20.0  # s without a heartbeat until a worker counts as hanging
_SUMMARY: Final = 10.0  # s between two summary lines
_JOIN: Final = 5.0  # s for all workers to end


@dataclass(slots=True)
class Pulse:
    """A worker's link to its service: it beats every few seconds, and ends when `stopping` is set."""

    stopping: threading.Event
    last: float = field(default_factory=time.monotonic)

    def beat(self) -> None:
        """Say that the worker is alive."""
        self.last = time.monotonic()


@dataclass(frozen=True, slots=True)
class _Worker:
    name: str
    run: Callable[[Pulse], None]
    pulse: Pulse


class Service:
    """Runs workers, each in a thread of its own, until a signal or `stop` ends them."""

    def __init__(self, name: str, health: Address, ledger: Ledger) -> None:
        self._name = name
        self._ledger = ledger
        self._stopping = threading.Event()
        self._failed = False
        self._workers: list[_Worker] = []
        self._conditions: list[Callable[[], str | None]] = []
        self._closers: list[Callable[[], None]] = []
        self._health = HealthServer(health, alive=self.frozen, ready=self.unready, ledger=ledger)

    def work(self, name: str, run: Callable[[Pulse], None]) -> None:
        """Add a worker that runs until its pulse says stop."""
        self._workers.append(_Worker(name, run, Pulse(self._stopping)))

    def repeat(self, name: str, step: Callable[[], object]) -> None:
        """Add a worker that does one step after another; a step waits a second at most."""

        def run(pulse: Pulse) -> None:
            while not pulse.stopping.is_set():
                step()
                pulse.beat()

        self.work(name, run)

    def ready_when(self, unready: Callable[[], str | None]) -> None:
        """Add a condition of readiness: it returns what is missing in one line, or None."""
        self._conditions.append(unready)

    def at_end(self, close: Callable[[], None]) -> None:
        """Add what is to be closed once the workers have ended; the last one added is closed first."""
        self._closers.append(close)

    def run(self) -> int:
        """Run until told to stop; return the exit status: 0, or 1 when a worker could not be kept running."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        REGISTRY.register(self._ledger)
        self._health.start()
        threads = [
            threading.Thread(target=self._supervise, args=(worker,), name=worker.name, daemon=True)
            for worker in self._workers
        ]
        # What is here now stays: the garbage collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        for thread in threads:
            thread.start()
        log.info("%s started", self._name)
        try:
            self._wait()
        finally:
            self._join(threads)
            for close in reversed(self._closers):
                _close(close)
            self._health.stop()
            log.info("%s stopped: %s", self._name, self._ledger.totals())
            REGISTRY.unregister(self._ledger)
        return 1 if self._failed else 0

    def stop(self) -> None:
        """End `run`, from any thread."""
        self._stopping.set()

    def frozen(self) -> str | None:
        """Return which worker has not beaten for too long, or None."""
        now = time.monotonic()
        for worker in self._workers:
            if now - worker.pulse.last > _FROZEN:
                return f"worker {worker.name} has not beaten for {now - worker.pulse.last:.0f} s"
        return None

    def unready(self) -> str | None:
        """Return the first thing that is missing, or None."""
        if self._stopping.is_set():
            return "stopping"
        return next((text for condition in self._conditions if (text := condition())), None)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        log.info("%s received", signal.Signals(number).name)
        self.stop()

    def _wait(self) -> None:
        last, came, went, gone = time.monotonic(), 0, 0, Tally[str]()
        while not self._stopping.wait(max(0.0, last + _SUMMARY - time.monotonic())):
            now, totals, ages = time.monotonic(), self._ledger.totals(), sorted(self._ledger.take_ages())
            dropped = Tally(totals["dropped"])
            log.info(
                "in %d, out %d, dropped %s, %.1f fps, age %.0f ms (worst %.0f)",
                totals["in"] - came,
                totals["out"] - went,
                dict(dropped - gone) or "none",
                (totals["out"] - went) / (now - last),
                1000 * ages[len(ages) // 2] if ages else 0,
                1000 * ages[-1] if ages else 0,
            )
            last, came, went, gone = now, totals["in"], totals["out"], dropped
            if reason := self.unready():
                log.warning("not ready: %s", reason)

    def _supervise(self, worker: _Worker) -> None:
        _show_name(worker.name)
        failures: list[float] = []
        while not self._stopping.is_set():
            try:
                worker.pulse.beat()
                worker.run(worker.pulse)
            except Exception:
                now = time.monotonic()
                failures = [*(at for at in failures if now - at < _RECENT), now]
                log.exception("worker %s failed, %d of at most %d", worker.name, len(failures), MOST_RESTARTS)
                if len(failures) > MOST_RESTARTS:
                    self._failed = True
                    self.stop()
                    return
                _RESTARTS.labels(worker.name).inc()
                self._stopping.wait(0.1 * 2 ** len(failures))

    def _join(self, threads: list[threading.Thread]) -> None:
        self._stopping.set()
        deadline = time.monotonic() + _JOIN
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                log.warning("worker %s did not end in time", thread.name)


def _close(close: Callable[[], None]) -> None:
    # What one part cannot close shall not keep the others from it.
    try:
        close()
    except Exception:
        log.exception("closing failed")


def _show_name(name: str) -> None:
    """Give this thread a name for `top -H` and the like, as Python itself does from 3.14 on."""
    with suppress(OSError):  # not on Linux
        Path("/proc/thread-self/comm").write_bytes(name.encode()[:15])
