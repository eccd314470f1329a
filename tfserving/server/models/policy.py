"""The choice of versions to serve."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """Chooses versions to serve: the highest `count` (None: all); if `only` is given, only from these."""

    count: int | None = 1
    only: frozenset[int] | None = None

    def choose(self, found: Iterable[int]) -> set[int]:
        """Return the versions to serve."""
        allowed = (number for number in found if self.only is None or number in self.only)
        return set(sorted(allowed, reverse=True)[: self.count])

    def missing(self, found: Iterable[int]) -> list[int]:
        """Return the versions that were requested by number but not found."""
        return sorted((self.only or frozenset()).difference(found))
