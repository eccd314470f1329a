"""The job's variables, as the service and Kafka-ML write them."""

from datetime import UTC, datetime

import pytest

from pipeline.service.settings import SettingsError, load
from training.job.settings import JobSettings

VARIABLES = {
    "BOOTSTRAP_SERVERS": "kafka:9092",
    "RESULT_URL": "http://127.0.0.1:8080/results/7",
    "RESULT_TOKEN": "a-token-of-this-run",
    "RESULT_CERTIFICATE": "/etc/streamlens/tls.crt",
    "RESULT_ID": "7",
    "CONTROL_TOPIC": "control",
    "DEPLOYMENT_ID": "3",
    "BATCH": "32",
    "KWARGS_FIT": '{"epochs": 5, "class_weight": {"0": 1.5}}',
    "KWARGS_VAL": "{}",
    "CONF_MAT_CONFIG": "True",
    "CASE": "1",
    "UNSUPERVISED": "False",
    "UNSUPERVISED_ROUNDS": "5",
    "CONFIDENCE": "0.9",
    "CONTROL_SINCE": "2026-01-31T10:00:00.123456Z",
    "FRAMEWORK": "tf",
    "MODEL_NAME": "digits",
    "AUTOSERVE": "true",
    "RANDOM_SPLIT": "false",
    "SEED": str(2**63 - 1),
}


def test_the_services_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)

    settings = load(JobSettings)

    assert settings.kwargs_fit == {"epochs": 5, "class_weight": {"0": 1.5}}
    assert (settings.conf_mat_config, settings.autoserve, settings.random_split) == (True, True, False)
    assert settings.control_since == datetime(2026, 1, 31, 10, 0, 0, 123456, UTC)
    assert settings.modelstore is None
    assert settings.result_token.get_secret_value() == "a-token-of-this-run"
    assert str(settings.result_certificate) == "/etc/streamlens/tls.crt"
    assert "a-token-of-this-run" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [("KWARGS_FIT", "[1]"), ("BATCH", "0"), ("RESULT_URL", "ftp://host/results/1"), ("FRAMEWORK", "jax")],
    ids=["arguments", "batch", "url", "framework"],
)
def test_wrong_variables_are_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    for variable, given in {**VARIABLES, name: value}.items():
        monkeypatch.setenv(variable, given)

    with pytest.raises(SettingsError, match=name):
        load(JobSettings)
