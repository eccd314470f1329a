"""What runs jobs and inferences."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Run:
    """A command, `python -m MODULE` with these variables, under a name that nothing else has.

    At most `MAXRUNS` of those that `queues` run at a time. In a cluster, it gets `gpus` GPUs, on a node with
    these labels, whose taints are tolerated; on one machine, it can use all GPUs.
    """

    name: str
    module: str
    variables: Mapping[str, str]
    queues: bool = True
    gpus: int = 0
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: Sequence[Mapping[str, str | int]] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that waits for its turn: `why`, in one line, and the runs that it waits for, if it is those."""

    name: str
    why: str
    behind: Sequence[str] = ()


class RunnerError(Exception):
    """A run cannot be started: why, in one line."""


Ended = Callable[[str, int | None, int], bool]
"""Called when a run has ended by itself, with its name, its exit status (None if it is not known, negative
for a signal) and how often it was started. Returns whether to start it again."""


class Runner(Protocol):
    """Runs commands. All methods may be called from any thread; none waits for a run."""

    def start(self, run: Run) -> None:
        """Run a command, now or when its turn comes; raise `RunnerError` if that is not possible."""

    def stop(self, name: str) -> None:
        """End a run, or take it out of the queue; do nothing if there is none of this name."""

    def names(self) -> set[str]:
        """Return the names of all runs that wait or run."""

    def renew(self, name: str, variables: Mapping[str, str]) -> None:
        """Give a run these variables, others than it has, such as new addresses of what it speaks to."""

    def waiting(self) -> Sequence[Waiting]:
        """Return the runs that wait for their turn, in its order. It asks nothing and nobody."""

    def log(self, name: str) -> str:
        """Return the end of what a run has written; empty if nothing is kept."""

    def forget(self, name: str) -> None:
        """Stop a run, and delete what it has written."""


class SteppedRunner(Runner, Protocol):
    """A runner that the service keeps going."""

    def step(self) -> None:
        """Look after the runs; wait a moment."""

    def close(self) -> None:
        """End the runs that are to end with the service; the next one starts them again."""
