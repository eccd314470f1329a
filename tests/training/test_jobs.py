from typing import Any

import pytest

from tests.training.api.test_inferences import SENT
from tests.training.conftest import Service
from training.jobs import Outcome, Places, recover
from training.runners.runner import Run, Waiting

PLACES = Places("kafka:9999", "control", "http://here:1234", 600)


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

    recover(service.database, service.runner, PLACES)

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


def test_runs_are_where_the_deployment_says(service: Service) -> None:
    nodes: dict[str, Any] = {
        "node_selector": {"disk": "ssd"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
    }
    made = service.deployment(**nodes)
    service.client.get("/results/1")
    service.upload(1)
    service.post("/results/inference/1", SENT, 200)

    assert made.items() >= nodes.items()
    for name in ("model-training-1", "model-inference-1-0"):
        run = service.runner.runs[name]
        assert {"node_selector": run.node_selector, "tolerations": run.tolerations} == nodes


def behind(*results: int) -> list[str]:
    return [f"model-training-{number}" for number in results]


@pytest.mark.parametrize(
    ("waiting", "reason"),
    [
        (Waiting("model-training-1", "no node has room for it"), "no node has room for it"),
        (Waiting("model-training-1", "MAXRUNS=1", behind(7)), "waits for result 7 (MAXRUNS=1)"),
        (Waiting("model-training-1", "MAXRUNS=2", behind(7, 8)), "waits for result 7 or 8 (MAXRUNS=2)"),
        (
            Waiting("model-training-1", "MAXRUNS=4", behind(6, 7, 8, 9)),
            "waits for one of 4 results that are trained (MAXRUNS=4)",
        ),
    ],
    ids=["node", "one", "two", "many"],
)
def test_a_result_says_what_it_waits_for(service: Service, waiting: Waiting, reason: str) -> None:
    made = service.deployment(service.configuration(service.model("a"), service.model("b")))
    service.runner.queue = [Waiting("model-training-2", "MAXRUNS=1", behind(7)), waiting]

    for path in ("/results/", f"/deployments/results/{made['id']}"):
        (found,) = (each for each in service.get(path) if each["id"] == 1)
        assert found["progress"] == {"state": "queued", "place": 2, "reason": reason}
        assert (found["state"], found["reason"], found["status"]) == ("queued", reason, "created")


def test_a_result_that_waits_again_is_queued_until_it_is_stopped(service: Service) -> None:
    """Such as when its node was drained."""
    service.deployment()
    service.client.get("/results/1")
    service.post("/results/1/progress", {"state": "training", "epoch": 3, "epochs": 5}, 200)
    service.runner.queue = [Waiting("model-training-1", "no node has room for it")]
    assert state(service) == ("deployed", "queued", "no node has room for it")

    service.runner.queue = []
    (found,) = service.get("/results/")
    assert (found["state"], found["progress"]["epoch"]) == ("training", 3)
    service.runner.queue = [Waiting("model-training-1", "no node has room for it")]
    service.post("/results/stop/1", None, 200)

    assert state(service) == ("stopped", "stopped", None)


def test_after_a_restart_runs_learn_where_everything_is_now(service: Service) -> None:
    service.post(f"/results/inference/{service.finished()}", {**SENT, "output_kafka_broker": "own:9092"}, 200)
    service.deployment(1)
    recover(service.database, service.runner, PLACES)

    training = service.runner.runs["model-training-2"].variables
    assert training["BOOTSTRAP_SERVERS"] == "kafka:9999"
    assert training["RESULT_URL"] == "http://here:1234/results/2"
    inference = service.runner.runs["model-inference-1-0"].variables
    assert inference["INPUT_BOOTSTRAP_SERVERS"] == "kafka:9999"
    assert inference["OUTPUT_BOOTSTRAP_SERVERS"] == "own:9092"
    assert inference["MODEL_URL"] == "http://here:1234/results/model/1"


def test_after_a_restart_lost_runs_are_noted(service: Service) -> None:
    service.post(f"/results/inference/{service.finished()}", SENT, 200)
    service.deployment(1)
    recover(service.database, service.runner, PLACES)
    assert [each["state"] for each in service.get("/results/")] == ["queued", "finished"]

    service.runner.runs.clear()
    recover(service.database, service.runner, PLACES)

    assert sorted(each["state"] for each in service.get("/results/")) == ["failed", "finished"]
    assert (
        service.get("/inferences/1").items()
        >= {
            "status": "stopped",
            "reason": "the service was restarted, and found nothing of its runs",
        }.items()
    )
