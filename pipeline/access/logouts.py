"""Which sessions were ended: what all servers with the same users file and Kafka know together."""

import hmac
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from itsdangerous import BadData

from pipeline.access.signature import signer
from pipeline.access.users import Users

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
    sessions that began before it, because a topic that was lost has taken earlier logouts with it. Keys begin
    with what only servers with the same secret can know, so that others may use the same topic.
    """

    def __init__(self, users: Users, clock: Callable[[], float] = time.time) -> None:
        self.are_known = False
        self.store: Callable[[Logout, Sequence[Logout]], Awaitable[None]] = _nowhere
        """Writes a logout, and replaces those that its user's `before` covers."""
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

    def before(self, name: str) -> Logout:
        """Return the record that replaces a user's oldest logouts."""
        return Logout(name, self._before[name], "")

    def cover(self, logout: Logout) -> bool:
        """Return whether a session was ended."""
        name, begun, identity = logout
        return begun < self._since(name) or identity in self._ended.get(name, ())

    async def end(self, logout: Logout) -> None:
        """End a session, here and on all other servers, unless it was ended before."""
        if not self.cover(logout):
            await self.store(logout, self.add(logout))

    def add(self, logout: Logout) -> list[Logout]:
        """End a session; return the logouts that are forgotten because the user's `before` covers them."""
        name, begun, identity = logout
        with self._lock:
            ended = self._ended.setdefault(name, {})
            if identity:
                ended[identity] = begun
                if len(ended) <= _MOST:
                    return []
                begun = min(ended.values()) + 1
            self._before[name] = before = max(begun, self._before.get(name, 0))
            covered = [Logout(name, begun, each) for each, begun in ended.items() if begun < before]
            for each in covered:
                del ended[each.id]
        return covered

    def owns(self, key: bytes) -> bool:
        """Return whether a record is of servers with this secret."""
        return key.startswith(self._site())

    def key(self, logout: Logout) -> bytes:
        """Return the key of a record."""
        return self._site() + (logout.id or f"before/{logout.name}").encode()

    def encode(self, logout: Logout) -> bytes:
        """Return the value of a record."""
        return str(signer(self._users.secret, "logout").dumps(list(logout))).encode()

    def decode(self, key: bytes, value: bytes) -> Logout | None:
        """Return what a record says; None if it was not signed with the secret, or for another key."""
        try:
            name, begun, identity = signer(self._users.secret, "logout").loads(value)
            logout = Logout(str(name), int(begun), str(identity))
        except (BadData, TypeError, ValueError):
            return None
        return logout if self.key(logout) == key else None

    def is_needless(self, logout: Logout, newest: int) -> bool:
        """Return whether a record says nothing new: its sessions have expired, or another one covers it.

        When the topic's `newest` session began counts as now, unless that is still to come: a server whose
        clock is years ahead must not remove what others need.
        """
        name, begun, identity = logout
        expired = begun + LONGEST < min(newest, self._clock())
        return bool(name) and (expired or (bool(identity) and begun < self._since(name)))

    def ahead(self, logout: Logout) -> float:
        """Return the time in s until a new session is not ended by this logout."""
        return logout.begun - self._clock()

    def _since(self, name: str) -> int:
        return max(self._before.get("", 0), self._before.get(name, 0))

    def _site(self) -> bytes:
        digest = hmac.digest(self._users.secret.encode(), b"streamlens.logouts", "sha256")
        return digest[:6].hex().encode() + b"/"


async def _nowhere(_: Logout, __: Sequence[Logout]) -> None:
    pass
