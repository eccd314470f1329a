"""A ledger's counts as rates: frames per second of each camera, over the last ten seconds."""

import time
from collections import deque
from typing import Final

from pipeline.flow.ledger import Ledger, Sample
from pipeline.wire.figures import OVER, CameraFigures, Dropped

_SOON: Final = 0.5  # s between two samples that are worth comparing
_NOTHING: Final = Sample(0, 0, {}, None)


class Rates:
    """Compares a ledger's counts with those of ten seconds before; `figures` is called every few seconds."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._samples = deque[tuple[float, dict[str, Sample]]]()

    def figures(self) -> dict[str, CameraFigures]:
        """Return each camera's figures; the first time, there are counts only."""
        now, current = time.monotonic(), self._ledger.samples()
        while len(self._samples) > 1 and self._samples[1][0] <= now - OVER:
            self._samples.popleft()
        found = {name: self._figures(name, sample, now) for name, sample in current.items()}
        if not self._samples or now - self._samples[-1][0] >= _SOON:
            self._samples.append((now, current))
        return found

    def _figures(self, name: str, sample: Sample, now: float) -> CameraFigures:
        at, before = self._before(name, sample, now)
        if before is None:
            dropped = {reason: Dropped(count) for reason, count in sample.dropped.items()}
            return CameraFigures(None, None, None, dropped)
        seconds = now - at
        went = (sample.went - before.went) / seconds
        return CameraFigures(
            (sample.came - before.came) / seconds,
            went,
            sample.age if went else None,
            {
                reason: Dropped(count, max(0, count - before.dropped.get(reason, 0)) / seconds)
                for reason, count in sample.dropped.items()
            },
        )

    def _before(self, name: str, sample: Sample, now: float) -> tuple[float, Sample | None]:
        """Return the oldest sample that a camera's can be compared with, and when it was taken."""
        last: tuple[float, Sample | None] = (0.0, None)
        for at, samples in reversed(self._samples):
            if now - at < _SOON:
                continue
            before = samples.get(name)
            if before is None:
                # The camera has come since: until then, nothing was counted.
                return last if last[1] is not None else (at, _NOTHING)
            if before.came > sample.came or before.went > sample.went:  # it was removed, and is back
                return last
            last = at, before
        return last
