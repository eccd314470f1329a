"""Tokens for players and scripts: `Authorization: Bearer TOKEN`, or Basic with the token as password."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.access.roles import Role, lacks
from pipeline.access.users import Users


def new() -> str:
    """Return a new token, which is safe in a URL."""
    return f"sl_{secrets.token_urlsafe(24)}"


def digest(token: str) -> str:
    """Return a token's SHA-256 in hex, which the users file stores."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Bearer:
    """A visitor that has sent a token."""

    users: Users
    name: str
    digest: str

    @property
    def roles(self) -> Sequence[Role]:
        """What the user may do now."""
        user = self.users.get(self.name)
        return user.roles if user else ()

    def lacks(self, role: Role) -> str | None:
        """Return what helps a user who lacks a role."""
        return lacks(self.name, self.roles, role)

    def may_see(self, camera: str) -> bool:
        """Return whether the user may currently see a camera."""
        user = self.users.get(self.name)
        return user is not None and user.may_see(camera)

    def welcome(self) -> bool:
        """Return whether neither the token nor its user has been removed."""
        user = self.users.get(self.name)
        return user is not None and self.digest in user.tokens.values()


def find(users: Users, authorization: str) -> Bearer | None:
    """Return the owner of a valid token in an Authorization header, or None."""
    name, token = _credentials(authorization)
    if not token:
        return None
    sent = digest(token)
    for holder, user in users:
        for known in user.tokens.values():
            # If a name is given, it must match: otherwise a link could name one user and log in as another.
            if hmac.compare_digest(sent, known) and name in {None, holder}:
                return Bearer(users, holder, known)
    return None


def _credentials(authorization: str) -> tuple[str | None, str]:
    """Return the user's name, if there is one, and the token, which is empty if there is none."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return None, value.strip()
    if scheme.lower() != "basic":
        return None, ""
    try:
        name, _, token = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None, ""
    return name, token
