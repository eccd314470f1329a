"""Limits on what model servers and label files say."""

from typing import Final

from tests.limits.limit import Limit

LIMITS: Final[tuple[Limit, ...]] = ()

OURS: Final = frozenset(
    [
        "consumer.handlers.pictures._MOST_BYTES",
        "consumer.handlers.recent._MOST",
        "consumer.handlers.steady._LONGEST",
        "consumer.handlers.steady._MOST",
        "consumer.labels.sources._LONGEST_PAUSE",
        "consumer.labels.sources._MOST_VERSIONS",
        "consumer.model_health._LONGEST_PAUSE",
        "consumer.model_queue._MOST",
        "consumer.model_server.connection.LARGEST_ANSWER",
    ]
)
"""Constants that bound our own work, and nothing that comes from outside."""
