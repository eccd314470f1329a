"""Roles: what a user may do, besides seeing."""

from collections.abc import Collection
from typing import Final, Literal, get_args

Role = Literal["viewer", "operator", "trainer", "admin"]
"""What a user may do.

`viewer` sees, `operator` changes cameras, `trainer` changes models and trainings, `admin` does everything.
"""

ROLES: Final[tuple[Role, ...]] = get_args(Role)


def has(roles: Collection[Role], needed: Role) -> bool:
    """Return whether somebody with these roles may do what one of them is needed for."""
    return needed in roles or "admin" in roles


def lacks(name: str, roles: Collection[Role], needed: Role) -> str | None:
    """Return what helps a user who lacks a role, in one line, or None."""
    if has(roles, needed):
        return None
    return f"this needs the role {needed}: python -m pipeline.users roles {name} {' '.join([*roles, needed])}"
