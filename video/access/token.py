"""Tokens for players and scripts: `Authorization: Bearer TOKEN`, or Basic with the token as password."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from video.access.users import Users


def new() -> str:
    """Return a new token, fit for a URL."""
    return f"sl_{secrets.token_urlsafe(24)}"


def digest(token: str) -> str:
    """Return what the users file keeps of a token: its SHA-256 in hex."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Bearer:
    """The visitor who has brought a token."""

    users: Users
    name: str
    digest: str

    def may_see(self, camera: str) -> bool:
        """Tell whether the user's rights include a camera now."""
        user = self.users.get(self.name)
        return user is not None and user.may_see(camera)

    def welcome(self) -> bool:
        """Tell whether the token has not been revoked, nor its user removed."""
        user = self.users.get(self.name)
        return user is not None and self.digest in user.tokens.values()


def find(users: Users, authorization: str) -> Bearer | None:
    """Return who brings a known token in this Authorization header; None when nobody."""
    name, token = _credentials(authorization)
    if not token:
        return None
    brought = digest(token)
    for holder, user in users:
        for known in user.tokens.values():
            # The name counts where one is given: else a link could show another user than it seems to.
            if hmac.compare_digest(brought, known) and name in {None, holder}:
                return Bearer(users, holder, known)
    return None


def _credentials(authorization: str) -> tuple[str | None, str]:
    """Return the user's name, where there is one, and the token; the latter empty where there is none."""
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
