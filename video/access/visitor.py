"""The visitor behind a request, as the rest of the server sees it."""

from typing import Any, Final, Protocol

VISITOR: Final = "streamlens.visitor"
"""The key of the `Visitor` in an ASGI scope; set by the gate."""


class Visitor(Protocol):
    """The person or program that a request, a stream or a socket belongs to."""

    @property
    def name(self) -> str | None:
        """The user's name; None if access is open to everyone."""

    def may_see(self, camera: str) -> bool:
        """Return whether the visitor may see and know about a camera; can change while a stream is open."""

    def welcome(self) -> bool:
        """Return whether the visitor's session or token is still valid; when it is not, its streams end."""


class Anyone:
    """The visitor if access is open to everyone."""

    name = None

    def may_see(self, camera: str) -> bool:  # noqa: ARG002
        """Return True."""
        return True

    def welcome(self) -> bool:
        """Return True."""
        return True


class Nobody:
    """A visitor that is not logged in and may see only the login page."""

    name = None

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
