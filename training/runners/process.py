"""Runs commands as processes on this machine, so many at a time; they outlive this service."""

import fcntl
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from training.runners.record import Record, delete, read_log, records
from training.runners.runner import Ended, Run, RunnerError, Waiting

log = logging.getLogger(__name__)

_EVERY: Final = 0.25  # s
_GRACE: Final = 10.0  # s between SIGTERM and SIGKILL
_LAST_GRACE: Final = 5.0  # s, when this service ends, too
_TICK: Final = 0.02  # s
_LONGEST_BREAK: Final = 60.0  # s before a run that fails is started again
_ROOT: Final = Path(__file__).parents[2]
_NAME: Final = re.compile(r"[a-z0-9-]{1,100}")
_NICED: Final = ("training.runners.niced",)  # trainings: everything else on this machine has priority
_IGNORED: Final = (
    "(node_selector and tolerations are ignored: RUNNER=process runs everything on this machine)\n"
)


class ProcessRunner:
    """Starts `python -m MODULE` for each run; `most` of those that queue run at a time, niced.

    `folder` holds what is known of the runs. The processes get this one's variables except those in
    `private`. `ended` decides what becomes of a run that has ended by itself. If it `ends`, so do they.
    """

    def __init__(
        self, folder: Path, most: int, private: Collection[str], ended: Ended, *, ends: bool = False
    ) -> None:
        self._folder = folder
        self._most = most
        self._private = frozenset(private)
        self._ended = ended
        self._ends = ends
        self._lock = threading.RLock()
        found = sorted(records(folder), key=lambda record: record.number)
        self._records = {record.run.name: record for record in found}
        self._number = max((record.number for record in found), default=0)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._kill_at: dict[str, float] = {}
        self._start_at: dict[str, float] = {}  # when those that have failed are started again
        for record in found:
            log.info("found %s: %s", record.run.name, "it runs" if record.is_alive() else "it does not run")

    def start(self, run: Run) -> None:
        """Queue a run."""
        if not _NAME.fullmatch(run.name):
            raise RunnerError(f"{run.name!r} cannot be the name of a run: use a-z, 0-9 and -")
        with self._lock:
            if run.name in self._records:
                raise RunnerError(f"{run.name} runs already")
            self._number += 1
            record = Record(self._folder / run.name, run, self._number)
            try:
                record.finish()  # what an earlier run of this name has left
                record.write()
                if run.node_selector or run.tolerations:
                    record.note(_IGNORED)
            except OSError as error:
                raise RunnerError(f"{record.folder} cannot be written: {error.strerror}") from None
            self._records[run.name] = record
            self._start_waiting()

    def stop(self, name: str) -> None:
        """End a run with SIGTERM, and with SIGKILL if it takes too long."""
        with self._lock:
            record = self._records.get(name)
            if record is None or record.is_stopped:
                return
            if record.pid is None:
                self._finish(record)
            else:
                self._records[name] = record.changed(is_stopped=True)
                self._signal(record, signal.SIGTERM)
                self._kill_at[name] = time.monotonic() + _GRACE

    def names(self) -> set[str]:
        """Return the names of all runs that wait or run."""
        with self._lock:
            return {name for name, record in self._records.items() if not record.is_stopped}

    def renew(self, name: str, variables: Mapping[str, str]) -> None:
        """Give a run other variables; its process ends, and another one begins with them."""
        with self._lock:
            record = self._records.get(name)
            if record is None or record.is_stopped or record.run.variables.items() >= variables.items():
                return
            run = replace(record.run, variables={**record.run.variables, **variables})
            self._records[name] = record.changed(run=run, starts=0)
            if record.pid is not None:
                log.info("%s: what it speaks to has another address: starting it again", name)
                self._signal(record, signal.SIGTERM)
                self._kill_at[name] = time.monotonic() + _GRACE

    def close(self) -> None:
        """End all processes, if they are to end with this one; their runs wait for the next service."""
        if not self._ends:
            return
        with self._lock:
            begun = [each for each in self._records.values() if each.pid is not None]
            for record in begun:
                self._signal(record, signal.SIGTERM)
            until = time.monotonic() + _LAST_GRACE
            while any(each.is_alive() for each in begun) and time.monotonic() < until:
                time.sleep(_TICK)
            for record in begun:
                self._signal(record, signal.SIGKILL)
                if child := self._children.pop(record.run.name, None):
                    child.wait()
                if record.is_stopped:
                    self._finish(record)
                else:
                    self._records[record.run.name] = record.changed(pid=None, starts=0)

    def waiting(self) -> Sequence[Waiting]:
        """Return the runs that wait for their turn, in its order."""
        with self._lock:
            queue = [each for each in self._in_order() if each.run.queues]
            ahead = [each.run.name for each in queue if each.pid is not None]
            is_full = len(ahead) >= self._most
            found = list[Waiting]()
            for each in queue:
                if each.pid is None and is_full:
                    found.append(Waiting(each.run.name, f"MAXRUNS={self._most}", ahead))
                    ahead = [each.run.name]
                elif each.pid is None:
                    found.append(Waiting(each.run.name, "it is started in a moment"))
            return found

    def log(self, name: str) -> str:
        """Return the end of a run's log."""
        return read_log(self._folder / name) if _NAME.fullmatch(name) else ""

    def forget(self, name: str) -> None:
        """Kill a run at once, and delete its folder."""
        if not _NAME.fullmatch(name):
            return
        with self._lock:
            if record := self._records.pop(name, None):
                self._signal(record, signal.SIGKILL)
                self._kill_at.pop(name, None)
        delete(self._folder / name)

    def step(self) -> None:
        """Look which runs have ended, and start those whose turn it is; wait a moment: for the service."""
        time.sleep(_EVERY)
        self.look()

    def look(self) -> None:
        """Look which runs have ended, and start those whose turn it is."""
        with self._lock:
            dead = [each for each in self._records.values() if each.pid is not None and not each.is_alive()]
            for record in self._records.values():
                record.trim_log()
                if time.monotonic() >= self._kill_at.get(record.run.name, float("inf")):
                    self._signal(record, signal.SIGKILL)
            for name in self._children.keys() - self._records.keys():
                if self._children[name].poll() is not None:
                    del self._children[name]
        for record in dead:
            self._end(record)
        with self._lock:
            self._start_waiting()

    def _end(self, record: Record) -> None:
        name = record.run.name
        child = self._children.pop(name, None)
        status = child.wait() if child else None
        # Not under the lock: this asks the database.
        again = not record.is_stopped and self._ended(name, status, record.starts)
        with self._lock:
            if self._records.get(name) is not record:  # stopped or forgotten meanwhile
                again = False
            if again:
                self._kill_at.pop(name, None)
                self._records[name] = record.changed(pid=None)
                # One that was renewed has not failed, and keeps its turn.
                pause = min(_LONGEST_BREAK, 2.0 ** min(record.starts - 1, 10)) if record.starts else 0.0
                self._start_at[name] = time.monotonic() + pause
            elif name in self._records:
                self._finish(record)

    def _finish(self, record: Record) -> None:
        self._records.pop(record.run.name, None)
        self._kill_at.pop(record.run.name, None)
        self._start_at.pop(record.run.name, None)
        record.finish()

    def _in_order(self) -> list[Record]:
        return sorted(self._records.values(), key=lambda each: each.number)

    def _start_waiting(self) -> None:
        for record in self._in_order():
            running = sum(each.run.queues and each.pid is not None for each in self._records.values())
            if record.pid is not None or (record.run.queues and running >= self._most):
                continue
            if time.monotonic() >= self._start_at.get(record.run.name, 0.0):
                self._records[record.run.name] = self._started(record)

    def _started(self, record: Record) -> Record:
        lock, output = record.open_lock(), record.open_log()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            child = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", *(_NICED if record.run.queues else ()), record.run.module],
                cwd=_ROOT,
                env=self._environment(record.run)
                | {"JOBFOLDER": str(record.work)}
                | dict(record.run.variables),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(lock,),
                start_new_session=True,
            )
        except BlockingIOError:
            # This service was killed right after it had started the process: wait for that one's end.
            log.warning("%s runs already, but its process is not known: waiting until it ends", record.folder)
            return record
        finally:
            os.close(lock)
            os.close(output)
        self._children[record.run.name] = child
        log.info("started %s, process %d", record.run.name, child.pid)
        return record.changed(pid=child.pid, starts=record.starts + 1)

    def _environment(self, run: Run) -> dict[str, str]:
        given = {name: value for name, value in os.environ.items() if name.upper() not in self._private}
        # Together, trainings have as many threads that compute as there are processors.
        share = {"JOBTHREADS": str(max(1, len(os.sched_getaffinity(0)) // self._most))}
        return {**share, **given} if run.queues else given

    def _signal(self, record: Record, number: signal.Signals) -> None:
        # As long as one process of the group holds the lock, the group's number is not another's.
        if record.pid is not None and record.is_alive():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(record.pid, number)
