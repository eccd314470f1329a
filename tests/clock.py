"""A clock for tests, in place of the module `time`."""

from typing import Final

SECOND: Final = 1_000_000_000  # ns
START: Final = 1e9
"""What a `Clock` says at first, in s: longer than any machine has run, so that code which takes some of its
time from the machine's own clock fails everywhere, and not only shortly after the machine's start."""


class Clock:
    """Stands in for the module `time`: its time advances when a test says so, and with `sleep`."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def time(self) -> float:
        """Return the seconds."""
        return self.now

    def monotonic(self) -> float:
        """Return the seconds."""
        return self.now

    def thread_time(self) -> float:
        """Return the seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.now += seconds

    def time_ns(self) -> int:
        """Return the nanoseconds."""
        return round(self.now * SECOND)
