"""What a visitor may see of the status of all services."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """What a visitor may see: some cameras, perhaps all of them, and perhaps each process."""

    may_see: Callable[[str], bool]
    sees_all: bool
    processes: bool
