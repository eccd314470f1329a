"""Numbers in JSON from outside, checked against their bounds; each function raises ValueError."""

from typing import Final

FASTEST: Final = 1e6
"""The highest rate per second that counts as one."""

OLDEST: Final = 1e7
"""The greatest age in s that counts as one."""

_COUNTS: Final = 2**63  # counts are below


def rounded(value: float | None, digits: int) -> float | None:
    """Return a number as it is written."""
    return None if value is None else round(value, digits)


def optional(value: object, most: float) -> float | None:
    """Return a number from 0 to `most`, or None."""
    return None if value is None else number(value, 0, most)


def number(value: object, least: float, most: float) -> float:
    """Return a number between two others."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"expected a number from {least:g} to {most:g}")
    return float(value)


def count(value: object) -> int:
    """Return a count."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _COUNTS:
        raise ValueError("expected a count")
    return value
