"""Limits on who asks the services how they are."""

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
