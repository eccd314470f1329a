"""Sessions: a signed cookie says who has logged in; the server keeps nothing but which have been ended."""

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from itsdangerous import BadData, URLSafeSerializer

from video.access.users import Users
from video.access.users_file import User

COOKIE: Final = "streamlens"
_LONGEST: Final = 2048  # characters of a cookie; those of the longest names have about 1200
_MOST_ENDED: Final = 10_000


class Sessions:
    """Begins, finds and ends sessions of `length` s; `clock` tells the seconds since the epoch.

    A session also ends with its user, with the password it began with, and with the file's secret. Which ones
    were ended is known to this process, and until it ends; their browsers have dropped the cookie anyway.
    """

    def __init__(self, users: Users, length: float, clock: Callable[[], float] = time.time) -> None:
        self.users = users
        self.length = length
        self._clock = clock
        self._ended: OrderedDict[str, None] = OrderedDict()

    def begin(self, name: str, user: User) -> str:
        """Return the cookie's value for a user who has just logged in."""
        content = [name, self._fingerprint(user), int(self._clock()), secrets.token_urlsafe(9)]
        return str(self._serializer().dumps(content))

    def find(self, cookies: str) -> "Session | None":
        """Return the session of a Cookie header's text; None when there is none, or it does not hold."""
        # A server below another path of the same host has a cookie of the same name: one of them is ours.
        for value in list(_values(cookies))[:4]:
            if (session := self._read(value)) and session.welcome():
                return session
        return None

    def end(self, session: "Session") -> None:
        """End a session, with all streams it opened."""
        self._ended[session.id] = None
        if len(self._ended) > _MOST_ENDED:
            self._ended.popitem(last=False)

    def holds(self, session: "Session") -> bool:
        """Tell whether a session has not ended."""
        user = self.users.get(session.name)
        return (
            user is not None
            and self._fingerprint(user) == session.fingerprint
            and self._clock() < session.begun + self.length
            and session.id not in self._ended
        )

    def _read(self, value: str) -> "Session | None":
        if len(value) > _LONGEST:
            return None
        try:
            name, fingerprint, begun, identity = self._serializer().loads(value)
        except (BadData, TypeError, ValueError):  # the latter two: of another version of this server
            return None
        return Session(self, name, fingerprint, begun, identity)

    def _fingerprint(self, user: User) -> str:
        """Return what changes with the user's password, and with the secret."""
        return hashlib.sha256(f"{self.users.secret}{user.password}".encode()).hexdigest()[:16]

    def _serializer(self) -> URLSafeSerializer:
        options = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        return URLSafeSerializer(self.users.secret, salt="streamlens.session", signer_kwargs=options)


@dataclass(frozen=True, slots=True)
class Session:
    """The visitor who has logged in by password; `begun` is in s since the epoch."""

    sessions: Sessions
    name: str
    fingerprint: str
    begun: int
    id: str

    def may_see(self, camera: str) -> bool:
        """Tell whether the user's rights include a camera now."""
        user = self.sessions.users.get(self.name)
        return user is not None and user.may_see(camera)

    def welcome(self) -> bool:
        """Tell whether the session has not ended."""
        return self.sessions.holds(self)


def _values(cookies: str) -> Iterator[str]:
    """Yield the values of all cookies of our name, the one of the longest path first."""
    for cookie in cookies.split(";"):
        name, _, value = cookie.strip().partition("=")
        if name == COOKIE:
            yield value
