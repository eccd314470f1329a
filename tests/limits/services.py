"""Limits on the clients of the health port."""

from typing import Final

from tests.limits.limit import Limit

LIMITS: Final = (
    Limit(
        "connections to `HEALTHPORT`",
        "pipeline.service.health._MOST_CLIENTS",
        "",
        "the oldest makes room; in the log",
    ),
)
