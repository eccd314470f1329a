"""What the restricted process answers, checked: the user's code may have written it."""

from typing import Any, Final

from training.code.program import CodeError
from training.job.outcome import metrics

BAD_REPORT: Final = "the code: it wrote into the report of its own process"
"""The reason for answers that the task itself does not give."""


def count(value: Any) -> int:
    """Return a checked number; 0 for none. Raises CodeError."""
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value < 2**53:
        raise CodeError(BAD_REPORT)
    return value


def numbers(value: Any) -> list[dict[str, float | None]]:
    """Return checked metrics of mini-batches. Raises CodeError."""
    try:
        rows = [metrics({name: [number] for name, number in each.items()}) or {} for each in value or ()]
    except (TypeError, ValueError, AttributeError, OverflowError):
        raise CodeError(BAD_REPORT) from None
    return [{name: numbers[0] for name, numbers in row.items()} for row in rows]
