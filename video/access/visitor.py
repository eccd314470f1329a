"""Who asks, as the rest of the server sees it."""

from typing import Any, Final, Protocol

VISITOR: Final = "streamlens.visitor"
"""The key in an ASGI scope under which the `Visitor` is found."""


class Visitor(Protocol):
    """Who a request, a stream or a socket belongs to."""

    @property
    def name(self) -> str | None:
        """The user's name; None where access is open to all."""

    def may_see(self, camera: str) -> bool:
        """Tell whether the visitor may see, and know of, a camera; may change while a stream is open."""

    def welcome(self) -> bool:
        """Tell whether the visitor's session or token still holds; once it does not, its streams end."""


class Anyone:
    """The visitor where access is open to all."""

    name = None

    def may_see(self, camera: str) -> bool:  # noqa: ARG002
        """Allow every camera."""
        return True

    def welcome(self) -> bool:
        """Tell that it always is so."""
        return True


class Nobody:
    """The visitor who has not logged in, and sees the login page only."""

    name = None

    def may_see(self, camera: str) -> bool:  # noqa: ARG002
        """Allow no camera."""
        return False

    def welcome(self) -> bool:
        """Tell that it never is so."""
        return False


def visitor_of(scope: Any) -> Visitor:
    """Return who a request or a socket belongs to."""
    visitor: Visitor = scope.get(VISITOR) or Anyone()
    return visitor
