"""Checking passwords one at a time, with delays after wrong ones."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from video.access.limit import Limit, network_of
from video.access.password import verify

_MOST_WAITING: Final = 16
_LONGEST_NAME: Final = 64  # characters; no user's name is longer


class Passwords:
    """Checks passwords one at a time, in its own thread: logins never delay the video.

    After some failures in a row, by one client or for one name, further attempts have to wait. For a name the
    wait is always short, because otherwise anybody could lock anybody out. `clock` is monotonic, in s.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._by_client = Limit(free=5, longest=60)
        self._by_name = Limit(free=20, longest=10)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="passwords")
        self._waiting = 0

    async def check(self, stored: str | None, name: str, password: str, client: str) -> float | None:
        """Return 0 if the password is right, None if it is wrong, or else the s until the next attempt.

        `stored` is the hash of the user's password, None if there is no such user.
        """
        if self._waiting >= _MOST_WAITING:
            return 1.0
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, self._check, stored, name, password, client)
        finally:
            self._waiting -= 1

    def _check(self, stored: str | None, name: str, password: str, client: str) -> float | None:
        # Runs in the only thread, so that each of many simultaneous attempts sees the failures before it.
        now = self._clock()
        keys = ((self._by_client, network_of(client)), (self._by_name, name[:_LONGEST_NAME]))
        if wait := max(limit.wait(key, now) for limit, key in keys):
            return wait
        if verify(stored, password):
            for limit, key in keys:
                limit.succeeded(key)
            return 0.0
        for limit, key in keys:
            limit.failed(key, now)
        return None
