"""The life of a service: start its workers, watch them, restart those that fail, and stop."""

import gc
import logging
import signal
import threading
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Final, Literal

from prometheus_client import REGISTRY
from prometheus_client.registry import Collector

from pipeline.flow.ledger import Ledger
from pipeline.service.health import HealthServer
from pipeline.service.values import Address
from pipeline.service.workers import Pulse, Worker, join

log = logging.getLogger(__name__)

_FROZEN: Final = 20.0  # s without a heartbeat after which a worker counts as hanging
_SUMMARY: Final = 10.0  # s between two summary lines
# s between two looks for a signal: one that comes just before the main thread waits does not wake it.
_GLANCE: Final = 0.5
_REMIND: Final = 60.0  # s between two lines about the same thing that is missing


class WorkerGroup:
    """Workers that come and go together, with their conditions of readiness and what they leave to close.

    `Service.group` makes one, before or during `run`. Its methods may be called from any thread. A worker
    that fails too often ends, and calls `give_up`, which by default ends the service.
    """

    def __init__(
        self, service: "Service", name: str, *, closed: bool, give_up: Callable[[], None] | None = None
    ) -> None:
        self._service = service
        self._give_up = give_up or service._give_up
        self._name = name
        self._closed = closed
        self._stopping = threading.Event()
        self._workers: list[Worker] = []
        self._conditions: list[Callable[[], str | None]] = []
        self._closers: list[Callable[[], None]] = []

    def work(self, name: str, run: Callable[[Pulse], None]) -> None:
        """Add a worker, a thread that runs until its pulse says stop.

        It starts with the service, or at once if the service runs. Nothing starts after the end.
        """
        worker = Worker(f"{name} {self._name}".rstrip(), run, self._stopping, self._give_up)
        with self._service._lock:
            self._workers.append(worker)
            if self._service._running and not self._stopping.is_set():
                worker.start()

    def repeat(self, name: str, step: Callable[[], object]) -> None:
        """Add a worker that does one step after another; a step waits a second at most."""

        def run(pulse: Pulse) -> None:
            while not pulse.stopping.is_set():
                step()
                pulse.beat()

        self.work(name, run)

    def require(self, reason: Callable[[], str | None]) -> None:
        """Add a condition of readiness: it returns what is missing in one line, or None, without waiting."""
        self._conditions.append(reason)

    def on_stop(self, close: Callable[[], None]) -> None:
        """Add what to close once the workers have ended; the last one added is closed first.

        What is added after the end is closed at once.
        """
        with self._service._lock:
            if not self._closed:
                self._closers.append(close)
                return
        _close(close)

    def release(self) -> None:
        """End the workers, close what was added, and let the service go on without this group.

        Waits for the workers, five seconds at most, but not for the one that calls it.
        """
        with self._service._lock:
            # From now on a worker that hangs no longer counts, nor does what is missing.
            self._service._groups = [group for group in self._service._groups if group is not self]
        self._stopping.set()
        join(self._workers)
        self._close()
        for worker in self._workers:
            worker.drop_metrics()

    def _close(self) -> None:
        with self._service._lock:
            closers, self._closers, self._closed = self._closers, [], True
        for close in reversed(closers):
            _close(close)


class Service:
    """Runs workers, each in a thread of its own, until a signal or `stop` ends them.

    Without a ledger, nothing is counted, and the log has no lines about frames.
    """

    def __init__(self, name: str, health: Address, ledger: Ledger | None = None) -> None:
        self._name = name
        self._counts = ledger is not None
        self._ledger = ledger = ledger or Ledger()
        self._lock = threading.Lock()
        self._running = False
        self._stopping = threading.Event()
        # What ends `run`: the number of a signal, or None. A signal may come while the main thread holds a
        # lock; of all queues, only this one allows for that.
        self._ends = SimpleQueue[int | None]()
        self._failed = False
        self._main = WorkerGroup(self, "", closed=False)
        self._groups = [self._main]
        self._notes: list[Callable[[], Iterable[str]]] = []
        self._collectors: list[Collector] = [ledger]
        self._health = HealthServer(
            health, alive=self.frozen, ready=self.unready, ledger=ledger, notes=self._lines
        )

    @property
    def stopping(self) -> threading.Event:
        """Is set when the service stops."""
        return self._stopping

    @property
    def health_port(self) -> int:
        """The port of health and metrics, also when it was chosen by the system."""
        return self._health.port

    def work(self, name: str, run: Callable[[Pulse], None]) -> None:
        """Add a worker that runs as long as the service; see `WorkerGroup.work`."""
        self._main.work(name, run)

    def repeat(self, name: str, step: Callable[[], object]) -> None:
        """Add a worker that does one step after another; see `WorkerGroup.repeat`."""
        self._main.repeat(name, step)

    def require(self, reason: Callable[[], str | None]) -> None:
        """Add a condition of readiness; see `WorkerGroup.require`."""
        self._main.require(reason)

    def note(self, lines: Callable[[], Iterable[str]]) -> None:
        """Add what returns, without waiting, lines for `/readyz` and the status of a ready service."""
        self._notes.append(lines)

    def export(self, collector: Collector) -> None:
        """Add metrics to `/metrics`, before `run` and until it ends."""
        self._collectors.append(collector)

    def on_stop(self, close: Callable[[], None]) -> None:
        """Add what to close at the end; see `WorkerGroup.on_stop`."""
        self._main.on_stop(close)

    def group(self, name: str, give_up: Callable[[], None] | None = None) -> WorkerGroup:
        """Return a new, empty group, which can be released while the service runs; see `give_up` there."""
        with self._lock:
            group = WorkerGroup(self, name, closed=self._stopping.is_set(), give_up=give_up)
            self._groups = [*self._groups, group]
        if self._stopping.is_set():
            group._stopping.set()
        return group

    def run(self) -> int:
        """Run until stopped; return the exit status: 0, or 1 when a worker failed too often."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        for collector in self._collectors:
            REGISTRY.register(collector)
        self._health.start()
        # Everything allocated so far lives as long as the process: freeze it, so that the garbage collector
        # skips it.
        gc.collect()
        gc.freeze()
        with self._lock:
            self._running = True
            for worker in self._workers():
                worker.start()
        log.info("%s started", self._name)
        try:
            self._wait()
        finally:
            self._end()
            self._health.stop()
            log.info("%s stopped%s", self._name, f": {self._ledger.totals()}" if self._counts else "")
            for collector in self._collectors:
                REGISTRY.unregister(collector)
        return 1 if self._failed else 0

    def stop(self) -> None:
        """End `run`, from any thread."""
        self._stopping.set()
        for group in self._groups:
            group._stopping.set()
        self._ends.put(None)

    def frozen(self) -> str | None:
        """Return which worker has not beaten for too long, or None."""
        now = time.monotonic()
        for worker in self._workers():
            pulse = worker.pulse
            if now - pulse.last > _FROZEN + pulse.quiet:
                return f"worker {worker.name} has not beaten for {now - pulse.last:.0f} s"
        return None

    def unready(self) -> str | None:
        """Return the first thing that is missing, or None."""
        if self._stopping.is_set():
            return "stopping"
        reasons = (reason() for group in self._groups for reason in group._conditions)
        return next(filter(None, reasons), None)

    def condition(self) -> tuple[Literal["ready", "not-ready"], str | None]:
        """Return whether the service is ready, and the first thing that is missing, or else to note."""
        reason = self.unready()
        return ("not-ready", reason) if reason else ("ready", next(iter(self._lines()), None))

    def _lines(self) -> list[str]:
        return [line for lines in self._notes for line in lines()]

    def _workers(self) -> list[Worker]:
        return [worker for group in self._groups for worker in group._workers]

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self._ends.put(number)

    def _wait(self) -> None:
        last, came, went, gone = time.monotonic(), 0, 0, Tally[str]()
        said, remind_at = "", 0.0
        while not self._ended(max(0.0, last + _SUMMARY - time.monotonic())):
            now, totals, ages = time.monotonic(), self._ledger.totals(), sorted(self._ledger.take_ages())
            dropped = Tally(totals["dropped"])
            if self._counts:
                log.info(
                    "in %d, out %d, dropped %s, %.1f %s, age %.0f ms (worst %.0f)",
                    totals["in"] - came,
                    totals["out"] - went,
                    dict(dropped - gone) or "none",
                    (totals["out"] - went) / (now - last),
                    self._ledger.unit,
                    1000 * ages[len(ages) // 2] if ages else 0,
                    1000 * ages[-1] if ages else 0,
                )
            last, came, went, gone = now, totals["in"], totals["out"], dropped
            reason = self.unready() or ""
            if reason and (reason != said or now >= remind_at):
                log.warning("not ready: %s", reason)
                remind_at = now + _REMIND
            said = reason

    def _ended(self, wait: float) -> bool:
        """Return whether a signal or `stop` ends the service, waiting at most `wait` s for it."""
        until = time.monotonic() + wait
        while True:
            left = until - time.monotonic()
            try:
                number = self._ends.get(timeout=max(0.0, min(left, _GLANCE)))
                break
            except Empty:
                if left <= _GLANCE:
                    return False
        if number is not None:
            log.info("%s received", signal.Signals(number).name)
        return True

    def _give_up(self) -> None:
        self._failed = True
        self.stop()

    def _end(self) -> None:
        self.stop()
        with self._lock:
            self._running = False
        join(self._workers())
        for group in reversed(self._groups):
            group._close()


def _close(close: Callable[[], None]) -> None:
    # A closer that fails must not stop the others.
    try:
        close()
    except Exception:
        log.exception("closing failed")
