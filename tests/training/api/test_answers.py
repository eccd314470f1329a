"""Answers while something is wrong with the service itself."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from tests.training.conftest import Service
from training.jobs import Outcome


@contextmanager
def failing(service: Service, error: Exception) -> Iterator[None]:
    """Let each transaction fail."""

    def fail(*_: object) -> None:
        raise error

    event.listen(service.database.engine, "begin", fail)
    try:
        yield
    finally:
        event.remove(service.database.engine, "begin", fail)


AWAY = OperationalError("BEGIN", {}, OSError("no disk at postgresql://user:sesame@host/"))


@pytest.mark.parametrize("error", [AWAY, NoConnection("QueuePool limit")], ids=["away", "busy"])
def test_a_database_that_is_away_is_no_fault_of_the_client(
    error: Exception, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with failing(service, error):
        answer = service.client.get("/models/")

    assert answer.status_code == 503
    assert answer.json() == {"detail": "the database does not answer: try again later"}
    assert "sesame" not in caplog.text
    assert service.get("/models/") == []


def test_a_full_disk_is_named(service: Service) -> None:
    with failing(service, OperationalError("BEGIN", {}, OSError("database or disk is full"))):
        answer = service.client.get("/models/")

    assert answer.status_code == 503
    assert answer.json() == {
        "detail": "the database cannot be written: database or disk is full: try again later"
    }


def test_two_changes_at_a_time_are_a_reason(service: Service) -> None:
    with failing(service, IntegrityError("INSERT", {}, ValueError("UNIQUE"))):
        reason = service.refused("POST", "/configurations/", {"name": "a", "ml_models": [1]})

    assert reason == "another change was faster, or a row that this one needs is gone: try again"


def test_a_fault_of_ours_tells_nothing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a secret")

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(service.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://training") as client:
            return await client.post("/models/", json={"name": "a", "code": "model = 1", "framework": "tf"})

    monkeypatch.setattr(service.code, "check", fail)

    answer = asyncio.run(send())

    assert answer.status_code == 500
    assert answer.json() == {"detail": "a fault in the service; its log says more"}


def test_while_the_database_is_away_runs_are_started_again(service: Service) -> None:
    service.deployment()

    with failing(service, AWAY):
        assert Outcome(service.database).ended("model-training-1", 1, 99)

    assert service.get("/results/")[0]["status"] == "created"


@pytest.mark.parametrize(
    ("method", "path", "sent", "reason"),
    [
        ("PUT", "/models/9", {"name": "a", "code": "model = 1", "framework": "tf"}, "there is no model 9"),
        ("PATCH", "/models/9", {"name": "a"}, "there is no model 9"),
        (
            "POST",
            "/models/",
            {"name": "a", "code": "model = 1", "framework": "pth", "distributed": True},
            "distributed: only TensorFlow models can be distributed",
        ),
        ("PUT", "/configurations/9", {"name": "a", "ml_models": [1]}, "there is no configuration 9"),
        ("GET", "/results/9", None, "there is no result 9"),
        ("GET", "/results/model/1", None, "result 1 has no trained model yet"),
        ("GET", "/results/model/9", None, "there is no result 9"),
        ("DELETE", "/inferences/9", None, "there is no inference 9"),
    ],
    ids=range(8),
)
def test_rows_that_are_not_there(
    method: str, path: str, sent: object, reason: str, *, service: Service
) -> None:
    service.deployment()

    assert service.refused(method, path, sent) == reason


def test_code_that_gives_no_model_any_more_is_a_reason_for_the_job(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after another version of the framework was installed."""
    result = service.deployment()["results"][0]["id"]

    def fail(*_: object, **__: object) -> None:
        raise ValueError("line 1 of the code: AttributeError: module 'keras' has no attribute 'x'")

    monkeypatch.setattr(service.code, "build", fail)

    reason = service.refused("GET", f"/results/{result}")

    assert reason.startswith("the code of model digits does not give a model: line 1 of the code")
    assert service.get("/results/")[0]["status"] == "created"


def test_rows_of_inferences_name_their_result(service: Service) -> None:
    result = service.finished()
    sent = {
        "input_format": "RAW",
        "input_config": json.dumps({"data_type": "uint8", "data_reshape": "2"}),
        "input_topic": "in",
        "output_topic": "out",
        "model_result": result,
    }

    made = service.post("/inferences/", sent)
    assert made["model_result"] == result
    changed = service.client.put(f"/inferences/{made['id']}", json={**sent, "replicas": 3}).json()
    assert (changed["model_result"], changed["replicas"]) == (result, 3)
