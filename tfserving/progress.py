"""Lines that tell how far a long task is."""

import time
from collections.abc import Callable

SAY_EVERY = 10.0  # seconds

Say = Callable[[str], None]


def slowly(say: Say, every: float = SAY_EVERY) -> Say:
    """Return what says one line in `every` seconds, and leaves out those between."""
    said = time.monotonic()

    def tell(line: str) -> None:
        nonlocal said
        if time.monotonic() - said >= every:
            said = time.monotonic()
            say(line)

    return tell
