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
