"""The ledger of a stream: every message that was read is used, or dropped for a reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Ledger:
    """Counts of messages: `read` is `used` and all of `dropped` together."""

    read: int = 0
    used: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)

    def added(self, used: int, dropped: Mapping[str, int]) -> "Ledger":
        """Return the ledger with more messages that were read."""
        names = self.dropped.keys() | dropped.keys()
        counts = {name: self.dropped.get(name, 0) + dropped.get(name, 0) for name in sorted(names)}
        return Ledger(
            self.read + used + sum(dropped.values()),
            self.used + used,
            {name: count for name, count in counts.items() if count},
        )

    def refused(self, count: int, reason: str) -> "Ledger":
        """Return the ledger in which so many used messages are dropped after all."""
        return Ledger(self.read - count, self.used - count, self.dropped).added(0, {reason: count})

    def fields(self) -> dict[str, Any]:
        """Return the ledger as JSON."""
        return {"read": self.read, "used": self.used, "dropped": dict(self.dropped)}


def parsed(value: Any) -> Ledger:
    """Return the ledger in what `fields` has returned. Raises KeyError, TypeError, ValueError."""
    found = Ledger().added(
        int(value["used"]), {str(name): int(count) for name, count in value["dropped"].items()}
    )
    if found.read != value["read"]:
        raise ValueError(f"a ledger of {value['read']} messages, expected {found.read}")
    return found
