"""Progress: parts that are not ready yet, and cameras that do not deliver."""

from collections.abc import Callable, Sequence
from typing import Final

from compose.console import Console
from compose.job import Job

_PATIENCE: Final = 15.0  # s from the start that a camera has to deliver
_OPENING: Final = 6.0  # s that it has at least, once its producer runs
_EVERY: Final = 3.0  # s between two lines about the parts that are awaited
_BLINK: Final = 3.0  # s that a camera may be away without being named, after everything has been ready once
_SELDOM: Final = 30.0  # s, after everything has been ready once


class Progress:
    """Reports on the jobs, and calls `ready` once, when all are ready except cameras that do not deliver.

    While there is no frame to be ready with, the `page` already shows why.
    """

    def __init__(
        self, jobs: Sequence[Job], console: Console, ready: Callable[[], None], now: float, page: str
    ) -> None:
        self._jobs = jobs
        self._console = console
        self._ready = ready
        self._page = page
        self._started = now
        self._say_at = now + _EVERY
        self._is_ready = False
        self._since: dict[str, float] = {}  # when cameras went away
        self._absent: set[str] = set()
        self._remind_at = 0.0

    def report(self, now: float) -> None:
        """Print anything new."""
        self._look_for_cameras(now)
        waiting = [job for job in self._jobs if job.trouble is not None and not self._is_named_elsewhere(job)]
        if not waiting:
            if not self._is_ready:
                self._is_ready = True
                self._ready()
            self._say_at = now + _EVERY
        elif now >= self._say_at:
            self._say_at = now + (_SELDOM if self._is_ready or self._absent else _EVERY)
            self._console.say(f"waiting for {_listed(waiting)}")

    def _look_for_cameras(self, now: float) -> None:
        cameras = [job for job in self._jobs if job.part.role == "producer"]
        self._since = {job.part.name: self._since.get(job.part.name, now) for job in cameras if _is_away(job)}
        late = [job for job in cameras if self._is_late(job, now)]
        absent = {job.part.name for job in late}
        if late and (absent - self._absent or now >= self._remind_at):
            self._remind_at = now + _SELDOM
            reasons = "; ".join(f"{job.trouble} ({job.part.source})" for job in late)
            is_none = len(late) == len(cameras)
            many = "no camera delivers" if is_none else "not every camera delivers"
            page = f"; the cameras' page is {self._page}" if is_none and not self._is_ready else ""
            self._console.say(f"{many}: {reasons}; still trying{page}")
        for job in cameras:
            if job.part.name in self._absent - absent and job.trouble is None:
                self._console.say(f"{job.part.name} delivers")
        self._absent = absent

    def _is_named_elsewhere(self, job: Job) -> bool:
        return job.part.name in (self._since if self._is_ready else self._absent)

    def _is_late(self, job: Job, now: float) -> bool:
        if job.answered is None or job.part.name not in self._since:
            return False
        if self._is_ready and now - self._since[job.part.name] < _BLINK:
            return False
        return now - self._started > _PATIENCE and now - job.answered > _OPENING


def _listed(jobs: Sequence[Job]) -> str:
    """Return the names of jobs with their troubles; what several have in common, such as Kafka, once."""
    names: dict[str | None, list[str]] = {}
    for job in jobs:
        names.setdefault(job.trouble, []).append(job.part.name)
    return ", ".join(f"{', '.join(those)} ({trouble})" for trouble, those in names.items())


def _is_away(job: Job) -> bool:
    """Return whether it is the camera that its producer is not ready for, and not Kafka, for example."""
    return job.trouble is not None and job.trouble.startswith("camera ")
