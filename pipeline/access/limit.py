"""A limit on failed attempts: after some in a row, each further one has to wait twice as long."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

_FORGET: Final = 900.0  # s after which the last failure is forgotten
_MOST: Final = 10_000  # keys remembered; the oldest failures are dropped first


@dataclass(slots=True)
class _Failures:
    count: int
    last: float


class Limit:
    """Counts failures by key: the first `free` cost nothing, then the wait doubles from 1 s to `longest` s.

    All times are in s of the same clock.
    """

    def __init__(self, free: int, longest: float) -> None:
        self._free = free
        self._longest = longest
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def wait(self, key: str, now: float) -> float:
        """Return the time until the next attempt is allowed, in s."""
        failures = self._recent(key, now)
        if failures is None or failures.count < self._free:
            return 0.0
        # Bounded because 2.0**1024 overflows.
        pause = min(self._longest, 2.0 ** min(failures.count - self._free, 30))
        return max(0.0, failures.last + pause - now)

    def failed(self, key: str, now: float) -> None:
        """Count a failure."""
        before = self._recent(key, now)
        self._failures[key] = _Failures(before.count + 1 if before else 1, now)
        self._failures.move_to_end(key)
        if len(self._failures) > _MOST:
            self._failures.popitem(last=False)

    def forgive(self, key: str, count: int) -> None:
        """Forget so many of a key's failures."""
        if failures := self._failures.get(key):
            failures.count -= count
            if failures.count <= 0:
                del self._failures[key]

    def count(self, key: str, now: float) -> int:
        """Return how many failures of a key are remembered."""
        failures = self._recent(key, now)
        return failures.count if failures else 0

    def _recent(self, key: str, now: float) -> _Failures | None:
        failures = self._failures.get(key)
        return failures if failures and now - failures.last < _FORGET else None
