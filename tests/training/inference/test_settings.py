import json
from typing import Any

import pytest

from pipeline.service.settings import SettingsError, load
from training.inference.settings import InferenceSettings

GIVEN = {
    "INPUT_BOOTSTRAP_SERVERS": "kafka:9092",
    "OUTPUT_BOOTSTRAP_SERVERS": "kafka:9092",
    "MODEL_URL": "http://training:8080/results/model/1",
    "MODEL_ARCH_URL": "http://training:8080/results/1",
    "INPUT_FORMAT": "RAW",
    "INPUT_CONFIG": json.dumps({"data_type": "uint8", "data_reshape": "28 28"}),
    "INPUT_TOPIC": "in",
    "OUTPUT_TOPIC": "out",
    "GROUP_ID": "inf1",
}

UPPER = {"OUTPUT_UPPER": "up", "UPPER_BOOTSTRAP_SERVERS": "kafka:9092"}


def loaded(monkeypatch: pytest.MonkeyPatch, **changes: str) -> InferenceSettings:
    for name in InferenceSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in {**GIVEN, **changes}.items():
        monkeypatch.setenv(name, value)
    return load(InferenceSettings)


def test_the_variables_of_kafka_ml_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch)

    assert settings.input_config == {"data_type": "uint8", "data_reshape": "28 28"}
    assert (settings.framework, settings.modelserver, settings.inference_url) == ("tf", "", "")
    assert settings.batch == 512


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"INPUT_CONFIG": "{}"}, "INPUT_FORMAT and INPUT_CONFIG: RAW: data_type None: expected a numpy"),
        ({"INPUT_FORMAT": "CSV"}, "input_format 'CSV': expected RAW, AVRO, JPEG or JSON"),
        ({"OUTPUT_TOPIC": "in"}, "OUTPUT_TOPIC: expected another topic than INPUT_TOPIC"),
        ({"MODELSERVER": "tfserving:8501"}, "MODELSERVER='tfserving:8501': expected a URL such as http://"),
        ({"FRAMEWORK": "pth", "MODEL_ARCH_URL": ""}, "MODEL_ARCH_URL is not set"),
        (
            {"FRAMEWORK": "pth", "MODELSERVER": "http://tfserving:8501/v1/models/m:predict"},
            "MODELSERVER: TensorFlow Serving has no PyTorch models",
        ),
        ({"LIMIT": "0.9"}, "LIMIT: expected OUTPUT_UPPER and UPPER_BOOTSTRAP_SERVERS, too"),
        ({"LIMIT": "nan", **UPPER}, "LIMIT='nan': expected a finite number"),
        ({"LIMIT": "0.9", "FRAMEWORK": "pth", **UPPER}, "LIMIT: PyTorch models have no upper models"),
        ({"LIMIT": "0.9", **UPPER, "OUTPUT_UPPER": "in"}, "OUTPUT_UPPER: expected another topic"),
        ({"UPPERAWAY": "stay"}, "UPPERAWAY='stay': expected 'wait' or 'leave'"),
        ({"BATCH": "0"}, "BATCH='0': expected a value greater than or equal to 1"),
        ({"MODEL_URL": ""}, "MODEL_URL is not set"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_wrong_settings_are_named(
    changes: dict[str, Any], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError) as error:
        loaded(monkeypatch, **changes)

    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_the_same_topic_of_two_kafkas(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded(monkeypatch, OUTPUT_TOPIC="in", OUTPUT_BOOTSTRAP_SERVERS="other:9092").batch == 512


def test_a_part_of_a_chain_names_what_is_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, LIMIT="0.9", DISTRIBUTED="true", **UPPER)

    assert (settings.limit, settings.output_upper, settings.distributed) == (0.9, "up", True)
    assert settings.upperaway == "wait"
