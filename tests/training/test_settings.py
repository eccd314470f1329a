from pathlib import Path

import pytest

from pipeline.service.settings import SettingsError, load
from tests.parts import ROOT
from training.settings import TrainingSettings


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in TrainingSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("KAFKAPORT", "kafka:9092")


def test_the_defaults() -> None:
    settings = load(TrainingSettings)

    assert (settings.controltopic, settings.controlage) == ("KAFKA_ML_CONTROL_TOPIC", 600.0)
    assert (settings.runner, settings.maxruns) == ("process", 1)
    assert settings.url == "http://127.0.0.1:8080"


def test_where_jobs_reach_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAYPORT", "[::1]:8081")
    assert load(TrainingSettings).url == "http://[::1]:8081"
    monkeypatch.setenv("BACKENDURL", "http://training:8080/")
    assert load(TrainingSettings).url == "http://training:8080"


def test_over_https_jobs_accept_the_certificate_unless_they_come_to_a_name_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TLSCERT", "cert.pem")
    monkeypatch.setenv("TLSKEY", "key.pem")
    settings = load(TrainingSettings)
    assert settings.url == "https://127.0.0.1:8080"
    assert settings.own_certificate == str(Path("cert.pem").absolute())

    monkeypatch.setenv("BACKENDURL", "https://train.example")
    assert load(TrainingSettings).own_certificate == ""


def test_it_answers_under_the_name_that_jobs_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWEDHOSTS", "ml.example")
    monkeypatch.setenv("BACKENDURL", "http://Jobs.example:8080/training")

    assert load(TrainingSettings).hosts == ("ml.example", "jobs.example")


def test_browsers_are_expected_where_it_listens_until_it_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = load(TrainingSettings)

    assert (settings.displayport.port, settings.browser_port) == (8080, 8080)
    assert (settings.users, settings.rootpath, settings.own_certificate) == (None, "", "")

    monkeypatch.setenv("NODEPORT", ":30164")
    assert load(TrainingSettings).browser_port == 30164


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DATABASEURL", "mysql://root:sesame1@host/name", "expected sqlite:////folder/file or postgresql"),
        ("RUNNER", "docker", "'process'"),
        ("MAXRUNS", "0", "1"),
        ("KEEPVERSIONS", "0", "1"),
        ("JOBSTORAGE", "10 GB", "expected a number of bytes such as 4Gi"),
        ("JOBRESOURCES", '{"limit": {}}', "expected requests and limits"),
        ("INFERENCERESOURCES", '{"limits": {"memory": "much"}}', "expected a number of bytes"),
        ("CONTROLTOPIC", "a/b", "expected a topic's name"),
        ("BACKENDURL", "training", "BACKENDURL='training'"),
        ("ROOTPATH", "/models/x", "/models is an address of the service itself"),
        ("ROOTPATH", "/api", "/api is an address"),
        ("WRITETOKEN", "short", "expected 16 to 200"),
        ("TRUSTEDPROXIES", "proxy", "expected addresses or networks"),
    ],
)
def test_wrong_values(name: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=name) as caught:
        load(TrainingSettings)

    assert expected in str(caught.value)
    assert "sesame1" not in str(caught.value)


def test_the_readme_describes_each_setting() -> None:
    readme = (ROOT / "training/README.md").read_text()

    assert [name for name in TrainingSettings.model_fields if f"`{name.upper()}`" not in readme] == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"TLSKEY": "key.pem"}, "expected both TLSCERT and TLSKEY"),
        ({"HEALTHPORT": ":8080"}, "expected two different ports"),
    ],
)
def test_settings_that_do_not_fit_together(
    given: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=expected):
        load(TrainingSettings)
