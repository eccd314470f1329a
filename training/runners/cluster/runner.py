"""Runs commands in pods: a Job per training, a Deployment per inference. They outlive this service."""

import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from pipeline.service.logs import Seldom
from training.runners.cluster import queue, state
from training.runners.cluster.api import Cluster, ClusterError, Manifest
from training.runners.cluster.logs import Logs
from training.runners.cluster.manifests import OWNED, Kit, group_of
from training.runners.cluster.objects import Objects
from training.runners.cluster.postponed import Postponed
from training.runners.record import delete, read_log
from training.runners.runner import Ended, Run, RunnerError, Waiting

log = logging.getLogger(__name__)
_seldom: Final = Seldom(log)

_TICK: Final = 0.5  # s
_EVERY: Final = 2.0  # s between two looks at the cluster
_NAME: Final = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_SELECTOR: Final = ",".join(f"{key}={value}" for key, value in OWNED.items())


class ClusterRunner:
    """Starts a Job for each run that queues; `most` of them run at a time, the others are suspended.

    They start in the order of their creation: no Job has its turn before a node has taken all earlier ones.
    Runs that do not queue are replicas: their names differ only in the number at the end, and each group has
    one Deployment. The cluster itself knows all runs. `folder` holds their logs. `ended` is asked what
    becomes of a Job that has ended; as Kubernetes has started it again before, it is only asked again later
    if the answer is to start it again. Raises ClusterError if the cluster does not answer at first.
    """

    def __init__(self, cluster: Cluster, folder: Path, most: int, kit: Kit, ended: Ended) -> None:
        self._cluster = cluster
        self._folder = folder
        self._most = most
        self._objects = Objects(cluster, kit)
        self._ended = ended
        self._logs = Logs(cluster, folder)
        self._lock = threading.RLock()
        self._jobs = dict[str, Manifest]()
        self._replicas = dict[str, int]()
        self._pods = list[Manifest]()
        self._postponed = Postponed(folder / ".postponed")
        self._waiting: Sequence[Waiting] = ()
        self._look_at = 0.0
        self._list()
        for name in self._jobs:
            self._postponed.remove(name)
        self._note_queue()
        for name in self.names():
            log.info("found %s in the cluster", name)

    def start(self, run: Run) -> None:
        """Create a Job, or another replica of a Deployment."""
        if not _NAME.fullmatch(run.name):
            raise RunnerError(f"{run.name!r} cannot be the name of a run: use a-z, 0-9 and -, at most 63")
        with self._lock:
            if run.name in self.names():
                raise RunnerError(f"{run.name} runs already")
            try:
                if run.queues and self._postponed.reasons():
                    self._postponed.add(run, "others wait before it")
                elif run.queues:
                    self._start_job(run)
                else:
                    self._start_replica(run)
            except ClusterError as error:
                if error.status == 409:
                    raise RunnerError(f"{run.name} is still in the cluster: try again later") from None
                if run.queues:
                    self._remove(run.name)
                if not run.queues or not error.is_quota:
                    raise RunnerError(str(error)) from None
                self._postponed.add(run, str(error))
            self._note_queue()

    def stop(self, name: str) -> None:
        """Delete a Job, or a replica; its pod gets SIGTERM, and SIGKILL after ten seconds."""
        with self._lock:
            self._keep_log(name)
            self._postponed.remove(name)
            self._remove(name)
            self._note_queue()

    def names(self) -> set[str]:
        """Return the names of all runs that wait or run."""
        with self._lock:
            replicas = (f"{name}-{number}" for name, most in self._replicas.items() for number in range(most))
            return {*self._jobs, *replicas, *self._postponed.reasons()}

    def renew(self, name: str, variables: Mapping[str, str]) -> None:
        """Do nothing: in a cluster, Services keep their names, and pods what they were created with."""

    def close(self) -> None:
        """Do nothing: pods do not need the service's."""

    def waiting(self) -> Sequence[Waiting]:
        """Return the trainings that wait, as they were when the cluster was last asked."""
        return self._waiting

    def log(self, name: str) -> str:
        """Return the end of a run's log, and what keeps its pods from running."""
        if not _NAME.fullmatch(name):
            return ""
        with self._lock:
            run = self._run_of(name)
            self._keep_log(name)
            troubles = "".join(f"({each})\n" for each in state.troubles(self._pods_of(run)))
        return read_log(self._folder / run) + troubles

    def forget(self, name: str) -> None:
        """Delete a run, and its log."""
        if not _NAME.fullmatch(name):
            return
        with self._lock:
            run = self._run_of(name)
            self._postponed.remove(name)
            self._remove(name)
            self._note_queue()
            if run not in self._replicas:
                delete(self._folder / run)

    def step(self) -> None:
        """Look from time to time; wait a moment: for the service."""
        time.sleep(_TICK)
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _EVERY
            self.look()

    def look(self) -> None:
        """Keep logs, look which Jobs have ended, and start those whose turn it is."""
        try:
            with self._lock:
                self._list()
                self._keep_logs()
                finished = [job for job in self._jobs.values() if state.is_finished(job)]
            for job in finished:
                self._end(job)
            with self._lock:
                self._start_waiting()
                self._note_queue()
        except ClusterError as error:
            _seldom.warning("cluster", str(error))

    def _list(self) -> None:
        jobs = self._cluster.listed("Job", _SELECTOR)
        deployments = self._cluster.listed("Deployment", _SELECTOR)
        self._pods = self._cluster.listed("Pod", _SELECTOR)
        self._jobs = state.kept(jobs)
        self._replicas = {
            name: int(each["spec"]["replicas"]) for name, each in state.kept(deployments).items()
        }

    def _start_job(self, run: Run) -> None:
        is_suspended = not self._has_room()
        self._jobs[run.name] = self._objects.add_job(run, is_suspended=is_suspended)
        log.info("created Job %s%s", run.name, ", which waits for its turn" if is_suspended else "")

    def _start_replica(self, run: Run) -> None:
        name = group_of(run.name)
        if name in self._replicas:
            self._scale(name, self._replicas[name] + 1)
            return
        self._objects.add_deployment(run, name)
        self._replicas[name] = 1
        log.info("created Deployment %s", name)

    def _remove(self, name: str) -> None:
        """Delete what there is of a run; what the cluster refuses to delete is noted."""
        try:
            group = group_of(name)
            if (count := self._replicas.get(group, 0)) > 1:
                self._scale(group, count - 1)
            elif count:
                del self._replicas[group]
                self._objects.remove_deployment(group)
            else:
                self._jobs.pop(name, None)
                self._objects.remove_job(name)
        except ClusterError as error:
            log.error("%s cannot be deleted: %s", name, error)

    def _scale(self, name: str, replicas: int) -> None:
        self._objects.scale(name, replicas)
        self._replicas[name] = replicas

    def _end(self, job: Manifest) -> None:
        name = state.name_of(job)
        status = state.exit_status(job, self._pods_of(name))
        # Not under the lock: this asks the database.
        if self._ended(name, status, state.starts(job)):
            return
        with self._lock:
            if name in self._jobs:
                self._keep_log(name)
                self._remove(name)

    def _start_waiting(self) -> None:
        """Start the first that waits, if it can."""
        if not self._has_room():
            return
        name = next((name for name, job in self._jobs.items() if state.is_suspended(job)), None)
        if name is not None:
            self._jobs[name] = self._objects.start_job(name)
            log.info("started Job %s", name)
        elif run := self._postponed.first():
            try:
                self._start_job(run)
            except ClusterError as error:
                self._remove(run.name)
                self._postponed.refuse(run.name, str(error))
            else:
                self._postponed.remove(run.name)

    def _has_room(self) -> bool:
        """Return whether another Job may have its turn: a node has taken each that had it before."""
        turns = queue.running(self._jobs)
        return len(turns) < self._most and not queue.unplaced(self._jobs, self._pods_of_jobs())

    def _note_queue(self) -> None:
        refused = self._postponed.reasons()
        self._waiting = queue.waiting(self._jobs, self._pods_of_jobs(), refused, self._most)

    def _pods_of_jobs(self) -> dict[str, list[Manifest]]:
        return {name: self._pods_of(name) for name in self._jobs}

    def _run_of(self, name: str) -> str:
        """Return the name under which a run's pods and its log are found."""
        group = group_of(name)
        return group if group in self._replicas or (self._folder / group).is_dir() else name

    def _pods_of(self, run: str) -> list[Manifest]:
        return [pod for pod in self._pods if state.run_of(pod) == run]

    def _keep_logs(self) -> None:
        for name in (*self._jobs, *self._replicas):
            if not self._logs.keep(name, self._pods_of(name)):
                break  # others wait until the next look
        self._logs.forget(map(state.name_of, self._pods))

    def _keep_log(self, name: str) -> None:
        """Read the log of a run up to now."""
        with suppress(ClusterError):
            self._pods = self._cluster.listed("Pod", _SELECTOR)
        run = self._run_of(name)
        self._logs.keep(run, self._pods_of(run), at_once=True)
