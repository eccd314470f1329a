import pytest

from tests.training.api.test_inferences import SENT
from tests.training.conftest import Service
from training.jobs import Outcome, recover
from training.runners.runner import Run


def state(service: Service) -> tuple[str, str, str | None]:
    """Return the status, state and reason of the only result."""
    (found,) = service.get("/results/")
    return found["status"], found["state"], found["reason"]


@pytest.mark.parametrize("status", [1, -9, None], ids=["error", "killed", "unknown"])
def test_a_job_that_dies_is_started_again_some_times(status: int | None, service: Service) -> None:
    service.deployment()
    outcome = Outcome(service.database)

    assert [outcome.ended("model-training-1", status, starts) for starts in (1, 2, 3)] == [True] * 3
    assert state(service)[0] == "created"
    assert not outcome.ended("model-training-1", status, 4)

    kind, name, reason = state(service)
    assert (kind, name) == ("stopped", "failed")
    assert reason is not None
    assert reason.startswith("the job ended 4 times without a result (")


def test_a_job_that_ends_without_a_result_has_failed(service: Service) -> None:
    service.deployment()

    assert not Outcome(service.database).ended("model-training-1", 0, 1)

    assert state(service)[2] == "the job ended without a result (exit status 0): see its log"


def test_a_job_that_is_done_is_not_started_again(service: Service) -> None:
    service.finished()
    outcome = Outcome(service.database)

    assert not outcome.ended("model-training-1", 1, 1)
    assert not outcome.ended("model-training-99", 1, 1)
    assert state(service)[0] == "finished"


def test_an_inference_is_started_again_until_it_is_stopped(service: Service) -> None:
    service.post(f"/results/inference/{service.finished()}", SENT, 200)
    outcome = Outcome(service.database)

    assert outcome.ended("model-inference-1-0", 1, 100)
    service.client.post("/inferences/1")
    assert not outcome.ended("model-inference-1-0", 1, 100)


def test_after_a_restart_runs_that_belong_to_nothing_are_stopped(service: Service) -> None:
    service.post(f"/results/inference/{service.finished()}", SENT, 200)
    service.deployment(1)
    wanted = service.runner.names()
    for name in ("model-training-99", "model-inference-9-0"):
        service.runner.start(Run(name, "training.job", {}))

    recover(service.database, service.runner)

    assert service.runner.names() == wanted
    assert {*service.runner.stopped} >= {"model-training-99", "model-inference-9-0"}


def test_runs_get_the_gpus_that_were_asked_for(service: Service) -> None:
    service.deployment(gpumem=2)
    service.deployment(1, gpus=3, gpumem=0)
    service.deployment(1)
    service.client.get("/results/1")
    service.upload(1)
    service.post("/results/inference/1", {**SENT, "gpumem": 1}, 200)

    found = {name: run.gpus for name, run in service.runner.runs.items()}
    expected = {"model-training-1": 2, "model-training-2": 3, "model-training-3": 0, "model-inference-1-0": 1}
    assert found.items() >= expected.items()


def test_after_a_restart_lost_runs_are_noted(service: Service) -> None:
    service.post(f"/results/inference/{service.finished()}", SENT, 200)
    service.deployment(1)
    recover(service.database, service.runner)
    assert [each["state"] for each in service.get("/results/")] == ["queued", "finished"]

    service.runner.runs.clear()
    recover(service.database, service.runner)

    assert sorted(each["state"] for each in service.get("/results/")) == ["failed", "finished"]
    assert (
        service.get("/inferences/1").items()
        >= {
            "status": "stopped",
            "reason": "the service was restarted, and found nothing of its runs",
        }.items()
    )
