"""The visitor behind a request, as the rest of the server sees it."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from pipeline.access.roles import Role
from pipeline.cameras.record import is_preview

VISITOR: Final = "streamlens.visitor"
"""The key of the `Visitor` in an ASGI scope; set by the gate."""


class Visitor(Protocol):
    """The person or program that a request, a stream or a socket belongs to."""

    @property
    def name(self) -> str | None:
        """The user's name; None if access is open to everyone."""

    @property
    def roles(self) -> Sequence[Role]:
        """What the visitor may do now."""

    def lacks(self, role: Role) -> str | None:
        """Return what helps a visitor who lacks a role, in one line, or None."""

    def may_see(self, camera: str) -> bool:
        """Return whether the visitor may see and know about a camera; can change while a stream is open."""

    def welcome(self) -> bool:
        """Return whether the visitor's session or token is still valid; when it is not, its streams end."""


class Anyone:
    """The visitor if access is open to everyone.

    `why_not` says what helps one who may only see; if it is None, the visitor has the `role` for changes too.
    """

    name = None

    def __init__(self, why_not: str | None = "", role: Role = "operator") -> None:
        self._why_not = why_not
        self._role = role

    @property
    def roles(self) -> Sequence[Role]:
        """Return `viewer`, and the role for changes if the visitor may make them."""
        return ("viewer", self._role) if self._why_not is None else ("viewer",)

    def lacks(self, role: Role) -> str | None:
        """Return what helps a visitor who lacks a role."""
        if role in self.roles:
            return None
        return f"this needs the role {role}: {self._why_not or 'set USERS to a users file'}"

    def may_see(self, camera: str) -> bool:
        """Return True, except for previews that somebody else has opened."""
        return not is_preview(camera) or "operator" in self.roles

    def welcome(self) -> bool:
        """Return True."""
        return True


class Nobody:
    """A visitor that is not logged in and may see only the login page."""

    name = None
    roles: Sequence[Role] = ()

    def lacks(self, role: Role) -> str | None:
        """Return that a login is required."""
        return f"this needs the role {role}: log in"

    def may_see(self, camera: str) -> bool:  # noqa: ARG002
        """Return False."""
        return False

    def welcome(self) -> bool:
        """Return False."""
        return False


def visitor_of(scope: Any) -> Visitor:
    """Return the visitor of a request or a socket: nobody, unless the gate has let one in."""
    visitor: Visitor = scope.get(VISITOR) or Nobody()
    return visitor
