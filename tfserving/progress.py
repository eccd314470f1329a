"""Progress lines of a long task."""

import time
from collections.abc import Callable

SAY_EVERY = 10.0  # seconds

Say = Callable[[str], None]


def slowly(say: Say, every: float = SAY_EVERY) -> Say:
    """Return a function that passes on at most one line in `every` seconds and skips the others."""
    said = time.monotonic()

    def report(line: str) -> None:
        nonlocal said
        if time.monotonic() - said >= every:
            said = time.monotonic()
            say(line)

    return report
