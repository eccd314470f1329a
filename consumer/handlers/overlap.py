"""How much two boxes have in common."""

from typing import TypeAlias

Rectangle: TypeAlias = tuple[float, float, float, float]
"""Left, top, width and height."""


def share(one: Rectangle, other: Rectangle) -> float:
    """Return the intersection over the union of two boxes that are not empty, 0 to 1."""
    left, top, width, height = one
    left2, top2, width2, height2 = other
    across = min(left + width, left2 + width2) - max(left, left2)
    down = min(top + height, top2 + height2) - max(top, top2)
    if across <= 0 or down <= 0:
        return 0
    common = across * down
    return common / (width * height + width2 * height2 - common)
