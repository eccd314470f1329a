"""Which of a model's versions are served."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """Which of the versions on disk are served: the highest `count`, or all; of `only` some where given."""

    count: int | None = 1
    only: frozenset[int] | None = None

    def choose(self, found: Iterable[int]) -> set[int]:
        """Return the versions to serve."""
        allowed = (number for number in found if self.only is None or number in self.only)
        return set(sorted(allowed, reverse=True)[: self.count])

    def missing(self, found: Iterable[int]) -> list[int]:
        """Return the versions that were asked for by number and are not there."""
        return sorted((self.only or frozenset()).difference(found))
