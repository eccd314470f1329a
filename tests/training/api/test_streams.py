"""Deployments that train on streams, and on unlabelled samples."""

import json
from typing import Any

import pytest

from tests.training.conftest import Service
from training.jobs import Outcome

INDEFINITE: dict[str, Any] = {
    "incremental": True,
    "indefinite": True,
    "monitoring_metric": "accuracy",
    "change": "up",
}


def result_of(service: Service, **fields: Any) -> int:
    """Add a deployment; return the id of its result."""
    return int(service.deployment(**fields)["results"][0]["id"])


def shown(service: Service, result: int) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in service.get("/results/") if each["id"] == result)
    return found


def test_the_job_is_told_how_to_read_the_stream(service: Service) -> None:
    made = service.deployment(incremental=True, stream_timeout=5000)

    (run,) = service.runner.runs.values()
    assert run.keeps
    assert (
        run.variables.items()
        >= {
            "CASE": "2",
            "STREAM_TIMEOUT": "5000",
            "STREAM_SINCE": made["time"],
            "IMPROVEMENT": "0.05",
        }.items()
    )
    assert "CHANGE" not in run.variables


@pytest.mark.parametrize("timeout", [60_000, -1])
def test_an_indefinite_training_never_ends(service: Service, timeout: int) -> None:
    service.deployment(**INDEFINITE, stream_timeout=timeout)

    (run,) = service.runner.runs.values()
    assert (
        run.variables.items()
        >= {"STREAM_TIMEOUT": "-1", "MONITORING_METRIC": "accuracy", "CHANGE": "up"}.items()
    )


def test_other_jobs_know_nothing_of_streams(service: Service) -> None:
    service.deployment(unsupervised=True, unsupervised_rounds=3, confidence=0.8)

    (run,) = service.runner.runs.values()
    assert not run.keeps
    assert (
        run.variables.items()
        >= {"CASE": "1", "UNSUPERVISED": "True", "UNSUPERVISED_ROUNDS": "3", "CONFIDENCE": "0.8"}.items()
    )
    assert "STREAM_TIMEOUT" not in run.variables


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"indefinite": True}, "indefinite"),
        ({"incremental": True, "stream_timeout": 0}, "stream_timeout=0"),
        ({**INDEFINITE, "monitoring_metric": None}, "monitoring_metric"),
        ({**INDEFINITE, "change": None}, "change"),
        ({**INDEFINITE, "improvement": -0.1}, "improvement=-0.1"),
        ({**INDEFINITE, "indefinite": False, "stream_timeout": -1, "change": None}, "change"),
        ({**INDEFINITE, "monitoring_metric": "f1"}, "the metrics of model digits are loss, accuracy"),
    ],
)
def test_what_a_stream_lacks_is_refused(service: Service, fields: dict[str, Any], reason: str) -> None:
    configuration = service.configuration(service.model())

    sent = {"configuration": configuration, "tf_kwargs_fit": "epochs=5", **fields}
    assert reason in service.refused("POST", "/deployments/", sent)
    assert service.get("/deployments/") == []


def test_the_metric_may_be_named_as_the_validations(service: Service) -> None:
    assert service.deployment(**{**INDEFINITE, "monitoring_metric": "val_loss"})["id"] == 1


def test_a_metric_that_cannot_be_looked_up_here_is_left_to_the_job(service: Service) -> None:
    configuration = service.configuration(service.model(code="model = 1  # elsewhere"))

    assert service.deployment(configuration, **{**INDEFINITE, "monitoring_metric": "f1"})["id"] == 1


def test_a_stopped_training_can_be_continued(service: Service) -> None:
    result = result_of(service, incremental=True)
    service.client.get(f"/results/{result}")
    service.post(f"/results/{result}/progress", {"state": "training", "mini_batches": 3}, 200)
    service.post(f"/results/stop/{result}", {}, 200)
    assert service.runner.runs == {}

    service.post(f"/results/continue/{result}", {}, 200)

    found = shown(service, result)
    assert (found["status"], found["state"]) == ("deployed", "queued")
    assert found["progress"]["mini_batches"] == 3
    (run,) = service.runner.runs.values()
    assert run.variables["KWARGS_FIT"] == '{"epochs": 5}'
    assert run.variables["STREAM_SINCE"] == found["deployment"]["time"]


def test_only_stopped_incremental_trainings_can_be_continued(service: Service) -> None:
    running, other = result_of(service, incremental=True), result_of(service, configuration=1)
    service.post(f"/results/stop/{other}", {}, 200)

    assert "only a training that was stopped" in service.refused("POST", f"/results/continue/{running}")
    assert "only incremental trainings" in service.refused("POST", f"/results/continue/{other}")
    assert "no result 99" in service.refused("POST", "/results/continue/99")


def test_a_job_that_cannot_be_started_again_stays_stopped(service: Service) -> None:
    result = result_of(service, incremental=True)
    service.post(f"/results/stop/{result}", {}, 200)
    service.runner.fails_at = "model-training-1"

    assert "there is no room" in service.refused("POST", f"/results/continue/{result}")

    assert (shown(service, result)["status"], shown(service, result)["state"]) == ("stopped", "stopped")


def test_the_ledger_and_the_rounds_are_kept_with_the_result(service: Service) -> None:
    result = result_of(service, incremental=True)
    progress = {
        "mini_batches": 2,
        "read": 5,
        "used": 4,
        "dropped": {"value": 1},
        "rounds": [{"taken": 3, "left": 1, "metrics": {"loss": 0.5, "val_loss": None}}],
    }
    service.post(f"/results/{result}/progress", {"state": "training", **progress}, 200)
    assert shown(service, result)["progress"] == {"state": "training", **progress}

    assert service.upload(result, json.dumps({"progress": progress})).status_code == 200

    assert shown(service, result)["progress"] == progress
    assert "read" in service.upload(result, '{"progress": {"read": -1}}').json()


def test_the_same_improvement_makes_one_result(service: Service) -> None:
    result = result_of(service, **INDEFINITE)
    service.client.get(f"/results/{result}")

    def upload(mini_batches: int) -> int:
        sent = {"indefinite": True, "progress": {"mini_batches": mini_batches, "best": 0.5}}
        answer = service.upload(result, json.dumps(sent))
        assert answer.status_code == 200
        return int(answer.json()["result"])

    assert [upload(1), upload(1), upload(4), upload(4)] == [2, 2, 3, 3]

    assert [each["status"] for each in service.get("/results/") if each["id"] != result] == ["finished"] * 2
    assert shown(service, 3)["progress"] == {"mini_batches": 4, "best": 0.5}


def test_an_incremental_job_is_started_again_however_often_it_is_killed(service: Service) -> None:

    result_of(service, incremental=True)
    outcome = Outcome(service.database)

    assert outcome.ended("model-training-1", -9, 100)
    assert not outcome.ended("model-training-1", 1, 100)
