"""Which runner the settings name."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.service.settings import SettingsError
from tests.training.runners.cluster.fakes import fake_cluster
from training.runners import chosen
from training.runners.cluster import api
from training.runners.cluster.runner import ClusterRunner
from training.runners.process import ProcessRunner
from training.runners.runner import Run
from training.settings import TrainingSettings


def settings(folder: Path, **more: Any) -> TrainingSettings:
    return TrainingSettings(kafkaport="kafka:9092", datafolder=folder, **more)


def ended(*_: object) -> bool:
    return False


def test_by_default_runs_are_processes(tmp_path: Path) -> None:
    assert isinstance(chosen.runner(settings(tmp_path), ended), ProcessRunner)


def test_runs_are_pods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_cluster() as fake:
        monkeypatch.setattr(api, "connect", fake.client)
        given = settings(tmp_path, runner="kubernetes", backendurl="http://training:8080")

        assert isinstance(chosen.runner(given, ended), ClusterRunner)

        fake.refusals["GET", "Job"] = (403, "forbidden")
        with pytest.raises(SettingsError, match="RUNNER='kubernetes': the cluster refuses to list a Job"):
            chosen.runner(given, ended)


def test_pods_are_made_as_the_settings_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_cluster() as fake:
        monkeypatch.setattr(api, "connect", fake.client)
        more = {"backendurl": "http://training:8080", "jobpriorityclass": "low"}
        runner = chosen.runner(settings(tmp_path, runner="kubernetes", **more), ended)

        runner.start(Run("model-training-1", "training.job", {}))

        assert fake.job("model-training-1")["spec"]["template"]["spec"]["priorityClassName"] == "low"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({}, "BACKENDURL='': expected where pods reach this service"),
        ({"backendurl": "http://a", "jobimages": '{"tf": "a"}'}, "JOBIMAGES: expected an image for pth"),
    ],
    ids=["url", "images"],
)
def test_pods_need_more_settings(tmp_path: Path, more: dict[str, str], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        chosen.runner(settings(tmp_path, runner="kubernetes", **more), ended)
