"""Limits on what model servers and label files say."""

from typing import Final

from tests.limits.limit import Limit

LIMITS: Final = (
    Limit(
        "redirections of a server of label files, one after the other",
        "consumer.model_server.download._MOST_REDIRECTS",
        "",
        "the labels are not read, with this reason",
    ),
)

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
