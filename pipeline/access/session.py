"""Sessions: a signed cookie names the user; the servers only remember which sessions have been ended."""

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from itsdangerous import BadData

from pipeline.access import cookies as cookie
from pipeline.access.logouts import Logout, Logouts
from pipeline.access.roles import Role, lacks
from pipeline.access.signature import signer
from pipeline.access.users import Users
from pipeline.access.users_file import User

COOKIE: Final = "streamlens"


class NotYetError(Exception):
    """A session may have been ended: the logouts are not known yet."""


class Sessions:
    """Begins, finds and ends sessions of `length` s; `clock` returns seconds since the epoch.

    A session also ends if its user, the user's password or the file's secret changes.
    """

    def __init__(
        self, users: Users, length: float, logouts: Logouts, clock: Callable[[], float] = time.time
    ) -> None:
        self.users = users
        self.length = length
        self.logouts = logouts
        self._clock = clock

    def begin(self, name: str, user: User) -> str:
        """Return the value of the cookie for a user that has just logged in."""
        content = [name, self._fingerprint(user), int(self._clock()), secrets.token_urlsafe(9)]
        return str(signer(self.users.secret, "session").dumps(content))

    def find(self, cookies: str) -> "Session | None":
        """Return the valid session in the value of a Cookie header, or None; may raise `NotYetError`."""
        for session in self.signed(cookies):
            if not self.logouts.are_known:
                raise NotYetError("logins do not count until this server has read the logouts from Kafka")
            if session.welcome():
                return session
        return None

    def signed(self, cookies: str) -> "Iterator[Session]":
        """Yield the sessions in the value of a Cookie header that are valid unless they were ended."""
        for value in cookie.values(cookies, COOKIE):
            if (session := self._read(value)) and self._may_hold(session):
                yield session

    async def end(self, session: "Session") -> None:
        """End a session and all streams that it has opened, here and on all other servers."""
        await self.logouts.end(session.logout)

    def holds(self, session: "Session") -> bool:
        """Return whether a session is still valid."""
        return self._may_hold(session) and self.logouts.are_known and not self.logouts.cover(session.logout)

    def _may_hold(self, session: "Session") -> bool:
        user = self.users.get(session.name)
        return (
            user is not None
            and self._fingerprint(user) == session.fingerprint
            and self._clock() < session.begun + self.length
        )

    def _read(self, value: str) -> "Session | None":
        try:
            name, fingerprint, begun, identity = signer(self.users.secret, "session").loads(value)
            return Session(self, str(name), str(fingerprint), int(begun), str(identity))
        except (BadData, TypeError, ValueError):  # the last two: from another version of this server
            return None

    def _fingerprint(self, user: User) -> str:
        """Return a value that changes with the user's password and with the secret."""
        return hashlib.sha256(f"{self.users.secret}{user.password}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Session:
    """A visitor that has logged in with a password; `begun` is in s since the epoch."""

    sessions: Sessions
    name: str
    fingerprint: str
    begun: int
    id: str

    @property
    def logout(self) -> Logout:
        """What ends it."""
        return Logout(self.name, self.begun, self.id)

    @property
    def roles(self) -> Sequence[Role]:
        """What the user may do now."""
        user = self.sessions.users.get(self.name)
        return user.roles if user else ()

    def lacks(self, role: Role) -> str | None:
        """Return what helps a user who lacks a role."""
        return lacks(self.name, self.roles, role)

    def may_see(self, camera: str) -> bool:
        """Return whether the user may currently see a camera."""
        user = self.sessions.users.get(self.name)
        return user is not None and user.may_see(camera)

    def welcome(self) -> bool:
        """Return whether the session is still valid."""
        return self.sessions.holds(self)
