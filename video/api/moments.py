"""Points in time, as the API reads and writes them."""

import math
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema


def milliseconds(text: str) -> float:
    """Return ms since the epoch; raise ValueError unless it is ISO 8601 or seconds since the epoch.

    ISO 8601 without an offset means UTC.
    """
    try:
        moment = 1000 * float(text)
    except ValueError:
        moment = _from_iso(text)
    if not math.isfinite(moment):
        raise ValueError(_EXPECTED)
    return moment


def iso(moment: int) -> str:
    """Return ms since the epoch as ISO 8601, UTC, with ms."""
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment % 1000:03}Z"


def _from_iso(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
        return 1000 * (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(_EXPECTED) from None


_EXPECTED: Final = "expected a time in ISO 8601 or in seconds since the epoch"

Moment = Annotated[
    float,
    BeforeValidator(milliseconds),
    WithJsonSchema(
        {"type": "string", "description": "ISO 8601 (UTC without an offset), or s since the epoch"}
    ),
]
"""A query parameter: a time in either form, converted to ms since the epoch."""
