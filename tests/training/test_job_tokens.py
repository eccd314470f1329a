"""The secret behind jobs' tokens, and the variables of runs."""

import stat
from pathlib import Path
from typing import Any

import pytest

from tests.training.api.test_inferences import SENT
from tests.training.conftest import Service
from training.job_tokens import Job, JobTokens, stored
from training.runs import Places


def scope(authorization: str) -> dict[str, Any]:
    """Return the scope of a request with this login."""
    return {"type": "http", "headers": [(b"authorization", authorization.encode())]}


def test_tokens_are_valid_after_a_restart(tmp_path: Path) -> None:
    token = stored(tmp_path).issue("training", 7)

    assert stored(tmp_path).find(scope(f"Bearer {token}")) == Job("training", 7)
    assert stored(tmp_path).find(scope(f"bearer  {token} ")) == Job("training", 7)


def test_only_the_service_s_user_reads_the_secret(tmp_path: Path) -> None:
    stored(tmp_path)

    assert stat.S_IMODE((tmp_path / "jobs.key").stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        stored(tmp_path / "missing")


@pytest.mark.parametrize("login", ["", "Basic dTpw", "Bearer", "Bearer x.y", "Bearer sl_ann"])
def test_other_logins_are_not_jobs(login: str) -> None:
    assert JobTokens().find(scope(login)) is None
    assert JobTokens().find({"type": "http", "headers": []}) is None


def test_a_job_has_no_role_and_sees_no_camera() -> None:
    job = Job("inference", 7)

    assert (job.roles, job.may_see("door"), job.welcome()) == ((), False, True)
    assert job.name == ":inference of result 7"
    assert "only for its own result" in job.lacks("viewer")


def test_each_run_gets_a_token_for_its_result(service: Service) -> None:
    service.post(f"/results/inference/{service.finished()}", SENT, 200)
    service.deployment(1)
    runs = service.runner.runs

    tokens = {name: run.variables["RESULT_TOKEN"] for name, run in runs.items()}

    assert len(set(tokens.values())) == 3  # the two replicas of the inference have the same
    assert tokens["model-inference-1-0"] == tokens["model-inference-1-1"]
    assert all("RESULT_CERTIFICATE" not in run.variables for run in runs.values())


def test_runs_learn_which_certificate_to_accept() -> None:
    places = Places("kafka:9092", "control", "https://127.0.0.1:8080", 600, JobTokens("s"), "/etc/cert.pem")

    assert places.access("inference", 7, 3)["RESULT_TOKEN"] == JobTokens("s").issue("inference", 7, 3)
    assert places.access("training", 7) == {
        "RESULT_TOKEN": JobTokens("s").issue("training", 7),
        "RESULT_CERTIFICATE": "/etc/cert.pem",
    }
