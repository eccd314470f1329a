"""Keeps what pods write, as the cluster forgets it with them."""

import json
import logging
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pipeline.service.logs import Seldom
from training.runners.cluster.api import Cluster, ClusterError, Manifest
from training.runners.cluster.manifests import CONTAINER
from training.runners.cluster.state import has_ended, has_started, in_order, name_of, trouble
from training.runners.record import trim_log

log = logging.getLogger(__name__)
_seldom: Final = Seldom(log)

_EVERY: Final = 5.0  # s between two reads of one pod's log
_BREAK: Final = 60.0  # s before a node that did not answer is asked again
_GONE: Final = (400, 404)  # the container does not run yet, or its pod is gone
_OVERLAP: Final = 10  # s that are read twice, as clocks differ
_SEEN: Final = "seen.json"


class Logs:
    """Appends the logs of a run's pods to the file `log` in its folder below `folder`."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster = cluster
        self._folder = folder
        self._read_at = dict[str, float]()
        self._due_at = dict[str, float]()

    def keep(self, run: str, pods: Iterable[Manifest], *, at_once: bool = False) -> bool:
        """Read what is new; return whether the nodes answer. What cannot be read or written is noted."""
        try:
            self._keep(run, pods, at_once=at_once)
        except OSError as error:
            _seldom.warning("write", f"{error.filename or self._folder}: {error.strerror}: logs are not kept")
        except ClusterError as error:
            _seldom.warning("log", f"the log of {run} cannot be read: {error}")
            return False
        return True

    def _keep(self, run: str, pods: Iterable[Manifest], *, at_once: bool) -> None:
        for pod in in_order(pods):
            name = name_of(pod)
            if not has_started(pod) or not self._is_due(pod, at_once=at_once):
                continue
            try:
                self._append(run, pod)
            except ClusterError as error:
                if error.status in _GONE:
                    continue
                self._due_at[name] = time.monotonic() + _BREAK
                raise
            self._due_at[name] = float("inf") if has_ended(pod) else time.monotonic() + _EVERY

    def forget(self, known: Iterable[str]) -> None:
        """Keep no more in memory than what is needed for the pods that exist."""
        names = set(known)
        self._due_at = {name: at for name, at in self._due_at.items() if name in names}
        self._read_at = {name: at for name, at in self._read_at.items() if name in names}

    def _is_due(self, pod: Manifest, *, at_once: bool) -> bool:
        due = self._due_at.get(name_of(pod), 0.0)
        return due < float("inf") and (at_once or has_ended(pod) or time.monotonic() >= due)

    def _append(self, run: str, pod: Manifest) -> None:
        name, folder = name_of(pod), self._folder / run
        last, now = self._read_at.get(name), time.monotonic()
        seconds = None if last is None else int(now - last) + _OVERLAP
        text = self._cluster.log(name, CONTAINER, seconds)
        self._read_at[name] = now
        seen = _load(folder / _SEEN)
        lines = []
        for line in text.splitlines():
            moment, _, said = line.partition(" ")
            if moment > seen.get(name, ""):
                seen[name] = moment
                lines.append(f"{said}\n")
            elif moment == seen.get(name) and lines:
                lines.append(f"{said}\n")  # of the same nanosecond as the line before
        if has_ended(pod) and (why := trouble(pod)) and f"{name}/end" not in seen:
            seen[f"{name}/end"] = why
            lines.append(f"({why})\n")
        if not lines:
            return
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / "log").open("a") as log:
            log.writelines(lines)
        trim_log(folder)
        (folder / _SEEN).write_text(json.dumps(seen))


def _load(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(moment) for name, moment in found.items()} if isinstance(found, dict) else {}
