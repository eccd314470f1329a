"""Sessions: a signed cookie names the user; the server only remembers which sessions have been ended."""

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
_LONGEST: Final = 2048  # characters of a cookie; the longest name makes about 1200
_MOST_ENDED: Final = 10_000


class Sessions:
    """Begins, finds and ends sessions of `length` s; `clock` returns seconds since the epoch.

    A session also ends if its user, the user's password or the file's secret changes. Only this process knows
    which sessions were ended, and only while it runs; their browsers have deleted the cookie anyway.
    """

    def __init__(self, users: Users, length: float, clock: Callable[[], float] = time.time) -> None:
        self.users = users
        self.length = length
        self._clock = clock
        self._ended: OrderedDict[str, None] = OrderedDict()

    def begin(self, name: str, user: User) -> str:
        """Return the value of the cookie for a user that has just logged in."""
        content = [name, self._fingerprint(user), int(self._clock()), secrets.token_urlsafe(9)]
        return str(self._serializer().dumps(content))

    def find(self, cookies: str) -> "Session | None":
        """Return the valid session in the value of a Cookie header, or None."""
        # A server at another path of the same host uses the same cookie name; one of them is ours.
        for value in list(_values(cookies))[:4]:
            if (session := self._read(value)) and session.welcome():
                return session
        return None

    def end(self, session: "Session") -> None:
        """End a session and all streams that it has opened."""
        self._ended[session.id] = None
        if len(self._ended) > _MOST_ENDED:
            self._ended.popitem(last=False)

    def holds(self, session: "Session") -> bool:
        """Return whether a session is still valid."""
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
        except (BadData, TypeError, ValueError):  # the last two: from another version of this server
            return None
        return Session(self, name, fingerprint, begun, identity)

    def _fingerprint(self, user: User) -> str:
        """Return a value that changes with the user's password and with the secret."""
        return hashlib.sha256(f"{self.users.secret}{user.password}".encode()).hexdigest()[:16]

    def _serializer(self) -> URLSafeSerializer:
        options = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        return URLSafeSerializer(self.users.secret, salt="streamlens.session", signer_kwargs=options)


@dataclass(frozen=True, slots=True)
class Session:
    """A visitor that has logged in with a password; `begun` is in s since the epoch."""

    sessions: Sessions
    name: str
    fingerprint: str
    begun: int
    id: str

    def may_see(self, camera: str) -> bool:
        """Return whether the user may currently see a camera."""
        user = self.sessions.users.get(self.name)
        return user is not None and user.may_see(camera)

    def welcome(self) -> bool:
        """Return whether the session is still valid."""
        return self.sessions.holds(self)


def _values(cookies: str) -> Iterator[str]:
    """Yield the values of all cookies with our name, the one with the longest path first."""
    for cookie in cookies.split(";"):
        name, _, value = cookie.strip().partition("=")
        if name == COOKIE:
            yield value
