"""Answers of services, as the command gets them."""

from pipeline.ledger.answer import Answer, Counted, Run
from pipeline.ledger.directory import Process

Written = dict[str, list[tuple[int, int]]]
Read = dict[str, list[tuple[int, int, bool]]]

LONG_AGO = 1000.0


def counted(
    came: int,
    went: int,
    *,
    read: Read | None = None,
    wrote: Written | None = None,
    again: int = 0,
    age: float = 0.0,
    **dropped: int,
) -> Counted:
    """Return what a process has counted of a camera."""
    reads = {run: Run(0.0, tuple(each)) for run, each in (read or {}).items()}
    writes = {run: Run(age, tuple((*pair, True) for pair in each)) for run, each in (wrote or {}).items()}
    pending = came - went - sum(dropped.values())
    return Counted(came, went, dropped, pending, again, reads, writes)


def answer(
    service: str, instance: str = "1", /, *, began: float | None = LONG_AGO, **cameras: Counted
) -> Answer:
    """Return the answer of a process."""
    return Answer(Process(service, instance, "127.0.0.1:1"), began, cameras)
