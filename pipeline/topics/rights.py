"""The rights on topics that each service needs."""

from collections.abc import Iterator
from typing import Final

from pipeline.topics import commands
from pipeline.topics.plan import Plan

_WRITES: Final = ("WRITE", "DESCRIBE")
_READS: Final = ("READ", "DESCRIBE")
_BOTH: Final = ("READ", "WRITE", "DESCRIBE")

RIGHTS: Final = {
    "producer": {"videocam": _WRITES, "status": _WRITES, "members": _BOTH, "cameras": _BOTH},
    "consumer": {
        "videocam": _READS,
        "videodisplay": _WRITES,
        "status": _WRITES,
        "members": _BOTH,
        "cameras": _READS,
    },
    "video": {
        "videocam": ("DESCRIBE",),
        "videodisplay": _READS,
        "status": _BOTH,
        "logouts": _BOTH,
        "cameras": _BOTH,
    },
}
"""Operations by service and by the topic's usual name. Nobody needs rights on groups."""

CREATING: Final = ("CREATE", "DESCRIBE_CONFIGS")
"""What a service needs on its topics to create and check them. It also works without."""


def granting(plans: dict[str, Plan], bootstrap: str) -> Iterator[str]:
    """Yield the commands that give each service's user its rights; `plans` by the topic's usual name."""
    for service, topics in RIGHTS.items():
        for usual, operations in topics.items():
            if usual in plans:
                yield commands.allow(service, operations, plans[usual].name, bootstrap)
