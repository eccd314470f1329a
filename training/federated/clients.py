"""The clients of a training, how long they are waited for, and the metrics of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from training.federated.messages import MOST_METRICS, Metrics, Update

MOST_CLIENTS: Final = 1_000
"""Clients of one training."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How long the server waits, in s, and for how many clients.

    It begins with at least `clients`, `joining` after the first has come; a round ends once all that take
    part have answered, or after `deadline` if at least `updates` have.
    """

    rounds: int
    clients: int = 1
    updates: int = 1
    joining: float = 10
    deadline: float = 600


@dataclass(slots=True)
class Client:
    """A client: how many samples it has, its `state`, and why it has that.

    `state` is `joined`, `training`, `done`, `late`, `failed` or `refused`; `used` counts the rounds that its
    weights were used in.
    """

    num_data: int
    state: str = "joined"
    reason: str | None = None
    used: int = 0


@dataclass(slots=True)
class History:
    """The metrics of all rounds that are over: the mean over the clients, by their numbers of samples."""

    training: dict[str, list[float | None]] = field(default_factory=dict)
    validation: dict[str, list[float | None]] = field(default_factory=dict)

    def add(self, updates: Sequence[Update], version: int) -> None:
        """Add the means of round `version`; a metric that no client has sent is null."""
        _keep(self.training, [(each.training, each.num_data) for each in updates], version)
        _keep(self.validation, [(each.validation, each.num_data) for each in updates], version)

    def fields(self) -> dict[str, Any]:
        """Return the metrics as they are uploaded."""
        return {"train_metrics": self.training, "val_metrics": self.validation or None}


def _keep(history: dict[str, list[float | None]], found: list[tuple[Metrics, int]], version: int) -> None:
    """Add the means of a round; a metric that no client has sent is null."""
    for name in {*history, *(name for metrics, _ in found for name in metrics)}:
        if name not in history and len(history) >= MOST_METRICS:
            continue
        parts = [(value, count) for metrics, count in found if (value := metrics.get(name)) is not None]
        total = sum(count for _, count in parts)
        mean = sum(value * (count / total) for value, count in parts) if total else None
        past = history.setdefault(name, [None] * version)
        past.append(mean)
