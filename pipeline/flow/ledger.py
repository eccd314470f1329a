"""The frame ledger: how many frames came in, went out and were dropped, per camera.

It balances: in = out + dropped (of every reason) + pending, and pending is 0 when nothing moves. The numbers
of the frames tell whether what one service has sent is what the next one has received.
"""

import threading
import time
from collections import Counter as Tally
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median_low
from typing import Final, NamedTuple, TypedDict

from prometheus_client import Histogram
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from pipeline.flow.runs import Run, Runs

_AGE = Histogram(
    "streamlens_frame_age_seconds",
    "Age of a frame when this service was done with it, from its capture",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5, 10),
)


Counts = TypedDict("Counts", {"in": int, "out": int, "dropped": dict[str, int], "pending": int})
"""One camera's counts; what is dropped is counted by reason."""


class Numbered(Counts):
    """One camera's counts, and the numbers of its frames.

    `read` are those that came in, by the run of the process that wrote them, `wrote` are those that went out,
    and `again` is how many came more than once.
    """

    read: dict[str, Run]
    wrote: dict[str, Run]
    again: int


class Report(TypedDict):
    """What `/ledger/runs` answers: how long ago in s reading last began again; and all cameras."""

    began: float | None
    cameras: dict[str, Numbered]


class Sample(NamedTuple):
    """One camera's counts at a moment, and the median age in s of its last frames that went out, if any."""

    came: int
    went: int
    dropped: dict[str, int]
    age: float | None


_RECENT: Final = 64  # frames whose ages a median is of

REMOVED: Final = ""
"""The name under which a report counts the frames of removed cameras: no camera has it."""


@dataclass(slots=True)
class _Account:
    came: int = 0
    went: int = 0
    dropped: Tally[str] = field(default_factory=Tally)
    ages: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT), compare=False)
    read: Runs = field(default_factory=Runs, compare=False)
    wrote: Runs = field(default_factory=Runs, compare=False)

    def add(self, other: "_Account") -> None:
        self.came += other.came
        self.went += other.went
        self.dropped += other.dropped

    def counts(self) -> Counts:
        pending = self.came - self.went - self.dropped.total()
        return {"in": self.came, "out": self.went, "dropped": dict(self.dropped), "pending": pending}

    def numbered(self, now: float) -> Numbered:
        return {
            **self.counts(),
            "read": self.read.report(now),
            "wrote": self.wrote.report(now),
            "again": self.read.again,
        }


class Ledger(Collector):
    """Counts frames from any thread, and exports the counts to Prometheus.

    A camera's first frame opens its account, and `forget` closes it. Frames that are still on their way then
    are counted with those of all removed cameras, even if the camera has come back meanwhile.
    """

    unit = "fps"
    """The unit of rates in the log."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: defaultdict[str, _Account] = defaultdict(_Account)
        self._removed = _Account()
        self._late = Tally[str]()  # frames of removed cameras that are still on their way
        self._ages: list[float] = []
        self._epoch = 0
        self._began: float | None = None

    def began(self) -> None:
        """Note that reading goes on somewhere else: frames may lie between the last one and the next."""
        with self._lock:
            self._epoch += 1
            self._began = time.monotonic()

    def came(self, camera: str, run: str = "", number: int = 0) -> None:
        """Count a frame in, and note its number if it has one: if `run` is not empty."""
        with self._lock:
            account = self._accounts[camera]
            account.came += 1
            if run:
                account.read.add(run, number, self._epoch)

    def went(self, camera: str, age: float, run: str = "", number: int = 0) -> None:
        """Count a frame out, `age` s after its capture, and note its number if it has one."""
        with self._lock:
            account = self._left(camera)
            account.went += 1
            account.ages.append(age)
            if run and account is not self._removed:
                account.wrote.add(run, number)
            self._ages.append(age)
        _AGE.observe(age)

    def dropped(self, camera: str, reason: str) -> None:
        """Count a frame that goes no further, and why, in one word."""
        with self._lock:
            self._left(camera).dropped[reason] += 1

    def forget(self, camera: str) -> None:
        """Close a camera's account; its counts stay in the totals."""
        with self._lock:
            if account := self._accounts.pop(camera, None):
                self._removed.add(account)
                self._late += Tally({camera: account.counts()["pending"]})

    def snapshot(self) -> dict[str, Counts]:
        """Return each camera's counts."""
        with self._lock:
            return {camera: account.counts() for camera, account in sorted(self._accounts.items())}

    def samples(self) -> dict[str, Sample]:
        """Return each camera's counts and median age, without those of removed cameras."""
        with self._lock:
            names = sorted(self._accounts)
        found = {}
        for name in names:  # one by one, so that no frame has to wait for all cameras
            with self._lock:
                account = self._accounts.get(name)
                if account is None:
                    continue
                came, went, dropped, ages = account.came, account.went, dict(account.dropped), [*account.ages]
            found[name] = Sample(came, went, dropped, median_low(ages) if ages else None)
        return found

    def report(self) -> dict[str, Counts]:
        """Return each camera's counts and, as `REMOVED`, those of all removed cameras, if there are any."""
        with self._lock:
            accounts = sorted(self._accounts.items())
            if self._removed != _Account():
                accounts.append((REMOVED, self._removed))
            return {camera: account.counts() for camera, account in accounts}

    def runs(self) -> Report:
        """Return the counts and numbers of all cameras that are not removed."""
        with self._lock:
            names = sorted(self._accounts)
        cameras = {}
        for name in names:  # one by one, so that no frame has to wait for the numbers of all cameras
            with self._lock:
                if account := self._accounts.get(name):
                    cameras[name] = account.numbered(time.monotonic())
        with self._lock:
            began = None if self._began is None else round(time.monotonic() - self._began, 3)
        return {"began": began, "cameras": cameras}

    def totals(self) -> Counts:
        """Return the counts of all cameras together, including the removed ones."""
        total = _Account()
        with self._lock:
            for account in (*self._accounts.values(), self._removed):
                total.add(account)
        return total.counts()

    def take_ages(self) -> list[float]:
        """Return the ages in s of the frames that went out since the last call."""
        with self._lock:
            ages, self._ages = self._ages, []
        return ages

    def _left(self, camera: str) -> _Account:
        """Return the account of a frame that goes out or no further."""
        if camera not in self._late:
            return self._accounts.get(camera, self._removed)
        self._late -= Tally({camera: 1})  # keeps positive counts only
        return self._removed

    def collect(self) -> Iterator[Metric]:
        """Yield the counters for Prometheus.

        Without those of removed cameras: frames that move from one series to another look like a burst.
        """
        came = CounterMetricFamily("streamlens_frames_in", "Frames that came in", labels=["camera"])
        went = CounterMetricFamily("streamlens_frames_out", "Frames that went out", labels=["camera"])
        dropped = CounterMetricFamily(
            "streamlens_frames_dropped", "Frames that went no further", labels=["camera", "reason"]
        )
        for camera, counts in self.snapshot().items():
            came.add_metric([camera], counts["in"])
            went.add_metric([camera], counts["out"])
            for reason, count in counts["dropped"].items():
                dropped.add_metric([camera, reason], count)
        yield from (came, went, dropped)
