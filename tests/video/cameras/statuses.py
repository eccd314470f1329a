"""Status records for tests."""

from pipeline.wire.status import LIFETIME, State, Status, Subject
from tests.clock import Clock
from video.cameras.reports import Report


def a_status(
    state: State,
    reason: str | None = None,
    *,
    camera: str = "door",
    instance: str = "a",
    service: str = "producer",
    since: float = 1_000,
    interval: float = 0.0,
) -> Status:
    """Return a record about a camera or, if `camera` is empty, about a service."""
    return Status(Subject(service, instance, camera), state, reason, since, interval=interval)


def a_report(
    clock: Clock,
    state: State,
    reason: str | None = None,
    age: float = 0,
    *,
    interval: float = 0.0,
    **subject: str,
) -> Report:
    """Return a record that was written `age` s ago."""
    status = a_status(state, reason, since=clock.now, interval=interval, **subject)
    return Report(status, clock.now + LIFETIME - age)
