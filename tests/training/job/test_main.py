"""`python -m training.job`: what it makes of its settings and of signals."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from training.job import __main__ as module
from training.job.federated_job import FederatedJob
from training.job.job import Job
from training.job.settings import JobSettings
from training.job.stream_job import StreamJob


@pytest.fixture
def handlers() -> Iterator[None]:
    """Put the process' own signal handlers back afterwards."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_job(monkeypatch: pytest.MonkeyPatch, number: signal.Signals) -> None:
    settings = JobSettings(
        bootstrap_servers="kafka:9092",
        result_url="http://training:8080/results/7",
        result_id=7,
        deployment_id=3,
        batch=4,
        kwargs_fit='{"epochs": 2}',
    )

    class Waiting:
        def __init__(self, *given: Any) -> None:
            self.given = given

        def run(self) -> int:
            found, _, stop = self.given
            assert found is settings
            assert not stop.is_set()
            os.kill(os.getpid(), number)
            return 143 if stop.wait(10) else 0

    monkeypatch.setattr(module, "Job", Waiting)

    assert module.serve(settings) == 143


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize(
    ("case", "kind"), [(1, Job), (2, StreamJob), (4, Job), (5, FederatedJob), (9, FederatedJob)]
)
def test_each_kind_of_training_has_a_job_of_its_own(
    case: int, kind: type[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = JobSettings(
        bootstrap_servers="kafka:9092",
        result_url="http://training:8080/results/7",
        result_id=7,
        deployment_id=3,
        batch=4,
        kwargs_fit='{"epochs": 2}',
        case=case,
    )
    monkeypatch.setattr(Job, "run", lambda job: 7 if type(job) is kind else 0)

    assert module.serve(settings) == 7
