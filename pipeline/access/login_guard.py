"""Checking passwords one at a time, with delays after wrong ones."""

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final

from pipeline.access.limit import Limit
from pipeline.access.password import verify
from pipeline.access.queue import FullError, Queue
from pipeline.service.networks import network_of

_MOST_WAITING: Final = 16
_MOST_BY_USER: Final = 2  # that wait: the known devices of one user must not take the time of the others'
_MOST_BY_CLIENT: Final = 5  # failures that cost nothing
_MOST_BY_NAME: Final = 20
_LONGEST_NAME: Final = 64  # characters; no user's name is longer


class Passwords:
    """Checks passwords, those of unknown devices and of known ones each in a thread of their own.

    Logins never delay the video, and a crowd of strangers does not delay a known device. After some failures,
    further attempts have to wait: a known device only for its own failures, everybody else for those of the
    client's network and those at the name. For a name the wait is always short, because otherwise anybody
    could lock out new devices. A success forgets the failures of this client at this name, and no others.
    `clock` is monotonic, in s.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._by_device = Limit(free=_MOST_BY_CLIENT, longest=60)
        self._by_client = Limit(free=_MOST_BY_CLIENT, longest=60)
        self._by_name = Limit(free=_MOST_BY_NAME, longest=10)
        self._own = Limit(free=_MOST_BY_CLIENT, longest=60)  # of a client at a name; it only counts
        self._strangers = Queue("passwords", _MOST_WAITING)
        self._known = Queue("known passwords", _MOST_WAITING)
        self._waiting = Counter[str]()  # by user

    async def check(
        self, stored: str | None, name: str, password: str, client: str, device: str = ""
    ) -> float | None:
        """Return 0 if the password is right, None if it is wrong, or else the s until the next attempt.

        `stored` is the hash of the user's password, None if there is no such user. `device` is the id of a
        device that is known to belong to this name; empty if it is not.
        """
        try:
            if device:
                return await self._run_known(stored, name, password, device)
            return await self._strangers.run(partial(self._check, stored, name, password, client))
        except FullError:
            return 1.0

    async def _run_known(self, stored: str | None, name: str, password: str, device: str) -> float | None:
        if self._waiting[name] >= _MOST_BY_USER:
            raise FullError
        self._waiting[name] += 1
        try:
            return await self._known.run(partial(self._check_known, stored, password, device))
        finally:
            self._waiting[name] -= 1
            self._waiting += Counter()  # leaves out users that wait for nothing

    # Each of these runs in the only thread of its queue, so that each of many simultaneous attempts sees the
    # failures before it.

    def _check_known(self, stored: str | None, password: str, device: str) -> float | None:
        now = self._clock()
        if wait := self._by_device.wait(device, now):
            return wait
        if verify(stored, password):
            self._by_device.forgive(device, self._by_device.count(device, now))
            return 0.0
        self._by_device.failed(device, now)
        return None

    def _check(self, stored: str | None, name: str, password: str, client: str) -> float | None:
        now = self._clock()
        network, name = network_of(client), name[:_LONGEST_NAME]
        own = f"{network} {name}"
        keys = ((self._by_client, network), (self._by_name, name), (self._own, own))
        if wait := max(limit.wait(key, now) for limit, key in keys[:2]):
            return wait
        if verify(stored, password):
            count = self._own.count(own, now)
            for limit, key in keys:
                limit.forgive(key, count)
            return 0.0
        for limit, key in keys:
            limit.failed(key, now)
        return None
