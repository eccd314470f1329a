"""What a page learns of its user."""

from typing import Any

from pipeline.access.roles import Role
from pipeline.access.visitor import Visitor


def current(visitor: Visitor, role: Role, why_nobody: str | None = None) -> dict[str, Any]:
    """Return who a visitor is, and whether they have the role for changes; if not, why, in one line.

    `why_nobody` is why nobody can make changes at all.
    """
    why_not = why_nobody or visitor.lacks(role)
    user = {"access": "open"} if visitor.name is None else {"access": "user", "name": visitor.name}
    return user | {"roles": list(visitor.roles), "may_change": why_not is None, "why_not": why_not}
