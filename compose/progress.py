"""Progress: parts that are not ready yet, and cameras that do not deliver."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from compose.console import Console
from compose.job import Job
from pipeline.cameras.record import PREVIEW

_PATIENCE: Final = 15.0  # s from the start that a camera has to deliver
_OPENING: Final = 6.0  # s that it has at least, once its producer runs
_EVERY: Final = 3.0  # s between two lines about the parts that are awaited
_BLINK: Final = 3.0  # s that a camera may be away, or back, without being named, later
_NO_FRAMES: Final = "no frame has come"  # the start of a consumer's reason
_PAUSED: Final = "paused"  # the start of the reason of a paused camera
_SELDOM: Final = 30.0  # s, after everything has been ready once


class Progress:
    """Reports on the jobs, and calls `ready` once, when all but the training service are ready.

    `trainable` is called once that is ready, too.
    Cameras that do not deliver hold nothing up: the `page` shows why. `links` are those of cameras that were
    given, by name and safe to print.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        console: Console,
        ready: Callable[[], None],
        now: float,
        page: str,
        *,
        links: Mapping[str, str],
        trainable: Callable[[], None] = lambda: None,
    ) -> None:
        self._jobs = jobs
        self._console = console
        self._ready = ready
        self._trainable = trainable
        self._page = page
        self._links = links
        self._started = now
        self._say_at = now + _EVERY
        self._is_ready = False
        self._is_trainable = False
        self._since: dict[str, float] = {}  # when cameras went away
        self._absent: set[str] = set()
        self._back: dict[str, float] = {}  # since when absent cameras may be back
        self._remind_at = 0.0

    def report(self, now: float) -> None:
        """Print anything new."""
        self._look_for_cameras(now)
        # The cameras' records are written as soon as Kafka answers, for which the others wait too.
        unready = [
            job for job in self._jobs if job.trouble is not None and not self._waits_for_cameras(job, now)
        ]
        waiting = [job for job in unready if job.part.role != "cameras"] or unready
        if not self._is_ready and all(job.part.role == "training" for job in unready):
            self._is_ready = True
            self._ready()
        if not self._is_trainable and self._is_ready and self._trains():
            self._is_trainable = True
            self._trainable()
        if not waiting:
            self._say_at = now + _EVERY
        elif now >= self._say_at:
            self._say_at = now + (_SELDOM if self._is_ready or self._absent else _EVERY)
            self._console.say(f"waiting for {_listed(waiting)}")

    def _look_for_cameras(self, now: float) -> None:
        producers = [job for job in self._jobs if job.part.role == "producer"]
        reasons = {
            name: reason
            for job in producers
            for name, reason in job.cameras.items()
            if not (reason.startswith(_PAUSED) or name.startswith(PREVIEW))
        }
        self._since = {name: self._since.get(name, now) for name in reasons}
        answered = [job.answered for job in producers if job.answered is not None]
        late = [name for name in reasons if self._is_late(name, min(answered, default=now), now)]
        absent = set(late)
        if late and (absent - self._absent or now >= self._remind_at):
            self._remind_at = now + _SELDOM
            texts = (f"camera {name}: {reasons[name]}{self._source(name)}" for name in late)
            is_none = bool(self._links) and absent >= self._links.keys()
            many = "no camera delivers" if is_none else "not every camera delivers"
            page = f"; the cameras' page is {self._page}" if is_none and not self._is_ready else ""
            self._console.say(f"{many}: {'; '.join(texts)}; still trying{page}")
        # While a producer is not ready, it is not known what its cameras do.
        known = all(job.trouble is None for job in producers)
        self._back = {name: self._back.get(name, now) for name in self._absent - reasons.keys() if known}
        for name in sorted(self._back):
            # A camera that moves to another producer has no reason for a moment.
            if now - self._back[name] >= _BLINK:
                self._console.say(f"camera {name} delivers")
                self._absent.remove(name)
        self._absent |= absent

    def _waits_for_cameras(self, job: Job, now: float) -> bool:
        """Return whether a part only misses frames, which cameras have had time to deliver."""
        return (
            (job.trouble or "").startswith(_NO_FRAMES)
            and now - self._started > _PATIENCE
            and all(each.trouble is None for each in self._jobs if each.part.role == "producer")
        )

    def _trains(self) -> bool:
        return any(job.part.role == "training" and job.trouble is None for job in self._jobs)

    def _source(self, name: str) -> str:
        return f" ({self._links[name]})" if name in self._links else ""

    def _is_late(self, name: str, answered: float, now: float) -> bool:
        if name not in self._absent and self._is_ready and now - self._since[name] < _BLINK:
            return False
        return now - self._started > _PATIENCE and now - answered > _OPENING


def _listed(jobs: Sequence[Job]) -> str:
    """Return the names of jobs with their troubles; what several have in common, such as Kafka, once."""
    names: dict[str | None, list[str]] = {}
    for job in jobs:
        names.setdefault(job.trouble, []).append(job.part.name)
    return ", ".join(f"{', '.join(those)} ({trouble})" for trouble, those in names.items())
