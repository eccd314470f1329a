"""How long a training will still take."""

import time
from collections.abc import Callable
from typing import Any


class Left:
    """Estimates the time left from how fast the training went since it began here."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begin: tuple[float, float] | None = None

    def seconds(self, fields: dict[str, Any]) -> float | None:
        """Return the time left in s for a report of progress; None if it cannot be said yet."""
        epochs = int(fields.get("epochs", 0))
        if not epochs or "epoch" not in fields:
            return None
        steps = int(fields.get("steps", 0))
        part = min(1.0, int(fields.get("step", 0)) / steps) if steps else 0.0
        share = min(1.0, (int(fields["epoch"]) + part) / epochs)
        now = self._clock()
        if self._begin is None:
            self._begin = (now, share)
        begin, before = self._begin
        if share <= before:
            return None
        return round((now - begin) / (share - before) * (1 - share), 1)
