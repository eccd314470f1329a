"""Limits on the clients of the health port, and on what they are answered."""

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

LEDGER: Final = (
    Limit(
        "a service's answer to `python -m pipeline.ledger`",
        "pipeline.ledger.answer.LARGEST_ANSWER",
        "bytes",
        "it is not counted; the command says so",
    ),
    Limit(
        "processes that the command asks",
        "pipeline.ledger.directory.MOST_SERVICES",
        "",
        "those that have reported last are asked",
    ),
)
