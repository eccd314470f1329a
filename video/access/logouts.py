"""Which sessions were ended: what all servers with the same users file and Kafka know together."""

import threading
import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from itsdangerous import BadData

from video.access.signature import signer
from video.access.users import Users

LONGEST: Final = 366 * 24 * 3600
"""The age in s at which a session has ended anyway: the largest SESSIONLENGTH."""

_MOST: Final = 1000  # logouts remembered per user; beyond, all sessions that are as old as the oldest end too


class Logout(NamedTuple):
    """A session that was ended: its user, when it began (s since the epoch), its id.

    Without an id, every session of the user that began before; without a name, every session of everybody.
    """

    name: str
    begun: int
    id: str


class Logouts:
    """Knows nothing until the topic has been read to its end; `clock` returns seconds since the epoch.

    Records are signed: whoever can only write to Kafka logs nobody out. The topic's own first record ends all
    sessions that began before it, because a topic that was lost has taken earlier logouts with it.
    """

    def __init__(self, users: Users, clock: Callable[[], float] = time.time) -> None:
        self.are_known = False
        self.store: Callable[[Logout], Awaitable[None]] = _nowhere
        self._users = users
        self._clock = clock
        self._lock = threading.Lock()
        self._before: dict[str, int] = {}  # by name, "" for everybody: earlier sessions have ended
        self._ended: dict[str, dict[str, int]] = {}  # by name: when sessions began, by id

    @property
    def have_begun(self) -> bool:
        """Whether the topic's first record is known."""
        return "" in self._before

    def begin(self) -> Logout:
        """Return the first record of a topic without one."""
        return Logout("", int(self._clock()), "")

    def cover(self, logout: Logout) -> bool:
        """Return whether a session was ended."""
        name, begun, identity = logout
        since = max(self._before.get("", 0), self._before.get(name, 0))
        return begun < since or identity in self._ended.get(name, ())

    def add(self, logout: Logout) -> None:
        """End a session."""
        name, begun, identity = logout
        with self._lock:
            if not identity:
                self._end_before(name, begun)
                return
            ended = self._ended.setdefault(name, {})
            ended[identity] = begun
            if len(ended) > _MOST:
                oldest = min(ended, key=ended.__getitem__)
                self._end_before(name, ended[oldest] + 1)
                del ended[oldest]

    def encode(self, logout: Logout) -> tuple[bytes, bytes]:
        """Return the key and the value of a record."""
        key = logout.id or f"before/{logout.name}"
        return key.encode(), str(signer(self._users.secret, "logout").dumps(list(logout))).encode()

    def decode(self, value: bytes) -> Logout | None:
        """Return what a record says; None if it is not one, or was signed with an earlier secret."""
        try:
            name, begun, identity = signer(self._users.secret, "logout").loads(value)
            return Logout(str(name), int(begun), str(identity))
        except (BadData, TypeError, ValueError):
            return None

    def is_outdated(self, logout: Logout) -> bool:
        """Return whether the session has ended anyway."""
        return bool(logout.id) and logout.begun + LONGEST < self._clock()

    def _end_before(self, name: str, begun: int) -> None:
        self._before[name] = max(begun, self._before.get(name, 0))


async def _nowhere(_: Logout) -> None:
    pass
